"""The exercise as a pure state machine: actions and time in, facts and orders out. No I/O, no clock, no randomness.

    briefing --start--> running <--hold, abort / resume, release--> held
    running, held --end, its length, or a branch--> ended (every fault is being reverted) --restored--> over

The shell (`chaos.gameday.live`) passes actions of people, the time once a second, and what became of each order; it
writes the facts into the record and carries out the orders. The sheet's clock runs while the exercise runs and is not
held. A hold stops that clock, never a fault that is active.

roles                who takes part, what each may do, and the two refusals
arguments            the arguments of an action, as they came from a browser
plan                 what is planned: steps, hints, questions, findings, branches
orders               what the shell must do
facts                what happened: the lines of the record
outcome              the facts and orders of one action or one tick
clock                the clock of the exercise, and that of its run sheet
offer                what responders can choose: components, and what the target has
operations           what responders can do to the target: a bounded set
catalogue            the faults that the game master can inject by hand
judgement            what the exercise asks about causes, components and beliefs
repairs              which operations end which fault
run_sheet            the steps of the plan, and what became of each
fault_log            the faults of the exercise: when each began, what repairs it, how it ended
operation_log        the operations of the responders: ordered, in force, undone
beliefs              what people noticed, and what they believe
prompts              hints and questions
people               who is here, and who has the controls
visible_log          the events that each role may see, numbered for each role
state                the state of an exercise, and how facts are recorded
timed                what happens by itself at its time
responder_actions    the actions of responders
gamemaster_actions   the actions of game masters
exercise             the state machine: one object for an exercise
live_view            the part of the live numbers that a role may see
review               what is shown to everybody when it is over
views                the document of each role
"""
