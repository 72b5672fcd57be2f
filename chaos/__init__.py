"""What breaks, and when? Experiments, faults, the runner and the command line.

experiment    what an experiment is: model, file, checks, timeline
experiments   the experiments that ship
faults        one kind of fault a file, and what a fault may do to the target
scenarios     the scenarios of game days that ship
runner        plays an experiment and writes its record
gameday       exercises with people
by_hand       a stack that stays up, and commands from another terminal
supervision   processes and undo: the shepherd and its clients
children      what runs inside a child process
cli           the command `brownout`, one module a command
testing       for those who write a fault, a policy or an adapter of their own
"""
