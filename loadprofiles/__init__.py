"""Who is calling? Agent sessions, arrivals, trace replay and client retries; played by Locust.

session      the session model (pure, seeded)
arrivals/    when sessions start (pure functions of time and a seed)
profiles/    the profiles that ship
replay/      readers of real traces
retries/     what real clients do when a call fails, exactly
client       a streaming client that never takes a truncated stream for a good one
user         the Locust shell around them; `locustfile.py` plays it on its own
"""
