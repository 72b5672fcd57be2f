"""The targets of an experiment: stacks of simulated replicas on simulated hardware, and the reference gateway.

stack      stack files: clouds, pools, replicas, hardware, prices, the gateway's policies
stacks     the stacks that ship, one YAML file each
hardware   profiles: a model on chips, with the cost of an engine step
replica    the simulated replica: engine, APIs, faults, process
gateway    the reference gateway: policies, router, process
adapters   real gateways that can stand in front of the replicas
control    the control port of both: active faults, on leases
bodies     reads large request bodies
"""
