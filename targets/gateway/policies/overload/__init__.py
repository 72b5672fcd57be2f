"""Policies for more load than the replicas can serve. All pure.

admission      a token bucket per tenant, and load shedding by tier
promises       admission times promised to refused requests
token_bucket   a token bucket with reservations
rate           events per second with exponential decay
queue          the queue of requests that found no place
codel          controlled delay: whether the queue is overloaded
concurrency    concurrency limits by name, and what they have in common
gradient2      a limit that follows the ratio of long-term to recent waits
aimd           a limit with additive increase and multiplicative decrease
fixed          a constant limit
throttling     client-side throttling towards replicas that reject
degradation    shorter responses under load, for tiers that allow it
"""
