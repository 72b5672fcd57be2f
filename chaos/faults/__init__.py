"""The faults: one file a kind.

base         what a fault is and what it may do to the world (`Fault`, `Stage`)
selection    whom it takes: pool, replica, cloud, count, share (pure, seeded)
spec         what an experiment file says of a fault
behaviour    the lifecycle of faults inside a replica
demand       the lifecycle of faults of the load
catalogue    the kinds, by name: a plain dict
"""
