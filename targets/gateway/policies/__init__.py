"""The gateway's resilience policies, one per file. Pure: time and events are arguments. Values and sources:
`docs/policies.md`.

balancing   which replica gets a call
attempts    retries, backoff, hedging, migration, timeouts
health      breakers, outlier ejection, readiness, panic
overload    admission, queue, concurrency limits, throttling, degradation
"""
