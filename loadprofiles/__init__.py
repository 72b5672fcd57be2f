"""The load: agent sessions, their arrivals, trace replay and client retries, played by Locust.

profiles     the shipped profiles (YAML)
sessions     the session model, and sessions drawn from a profile (pure, seeded)
arrivals     when sessions start (pure functions of time and a seed)
replay       recorded sessions: readers of real traces, and their playback
retries      the retry policies of real clients
demand       demand faults: extra sessions and changed calls, ordered by the runner
client       the streaming client; checks that answers are complete
player       plays planned sessions in greenlets, inside a Locust process
draws        seeded, keyed random draws
locustfile   the Locust file of the load, without a chaos run
"""
