"""What breaks: one kind of fault a file, each with its parameters, its traits and its life.

world       what a fault may do to the target, and what it needs of it
base        the life of a fault: inject, confirm, revert, verify
behaviour   faults that a replica or the gateway carries out itself
spec        what an experiment file says about a fault, and the traits of its kind
selection   the selectors: which replicas it affects
catalogue   every kind by its name
process     faults of a replica's process
replica     faults inside a replica
gateway     faults inside our gateway
load        faults of the load
system      commands on the user's own system
"""
