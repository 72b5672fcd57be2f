"""Chaos by hand: a stack that stays up, and commands from another terminal.

runtime      the files by which commands find the stacks of this user
control      the socket of a stack: a server in its process, a client in a command
injection    a fault from the words of a command line, checked against the stack
hand_fault   a fault that was injected by hand
controls     what commands do: inject, revert, restart, operate, load, abort, release, status
operations   drained pools, shed tiers, switched policies and added pools, until they are undone
operate_commands  the commands that change or undo one of these
restarts     restarts of a process, also as a repair that ends its faults
reserve      the processes of pools that are added
load         the load generators that are started and stopped by hand
load_commands  the commands on the load
borrowing    a run on the replicas of a stack that is up
processes    the processes of a stack: their state, and how one is started again
guest        who uses a stack that is up from within its process: a game day
in_run       the same commands in an experiment that is running
up           a stack that stays up: `brownout up`
"""
