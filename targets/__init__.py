"""What are they calling? Stacks: simulated replicas on simulated hardware, and the reference gateway.

stack        stack files: clouds, pools, replicas, hardware, prices, the gateway's policies
stacks/      the stacks that ship
hardware/    what each chip needs for a step of the engine
replica/     the engine (pure) and the server around it, with its behaviours under fault
gateway/     the policies and the router (pure) and the server around them
"""
