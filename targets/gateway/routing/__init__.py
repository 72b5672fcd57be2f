"""Routing of each attempt: the router composes the policies and keeps each replica's state. Pure: no I/O, no clock.

router          chooses a replica; applies each result to balancing, breakers, ejection and budgets
eligibility     which replicas may take a call, and what to do when none may
selection       selects a replica among the eligible ones: affinity, spillover, balancing
limits          concurrency limits per replica, and client throttling
admission       admission, the queue and degradation, before the router sees a request
replica_state   what the router knows about one replica
decisions       the router's inputs and outputs, as plain values
"""
