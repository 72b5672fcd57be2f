"""Chaos by hand: a stack that stays up, and commands from another terminal.

runtime      the files by which commands find the stacks of this user
control      the socket of a stack: a server in its process, a client in a command
injection    a fault from the words of a command line, checked against the stack
hand_fault   a fault that was injected by hand
controls     what commands do: inject, revert, restart, load, abort, release, status
load         the load generators that are started and stopped by hand
borrowing    a run on the replicas of a stack that is up
processes    the processes of a stack: their state, and how one is started again
guest        who uses a stack that is up from within its process: a game day
in_run       the same commands in an experiment that is running
up           a stack that stays up: `brownout up`
"""
