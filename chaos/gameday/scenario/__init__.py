"""Scenario files, and the plan of an exercise: from a scenario, from an experiment, or without steps.

file          the format of a scenario file
repair_text   how a file writes an operation that repairs a fault
synthetic     the faults of a scenario as the timeline of an experiment, so that the same checks read them
timing        what comes after the end, and ids that are given twice
repair_check  repairs that this target does not offer
spoilers      texts that would tell responders what is wrong
offers        what people can choose, from a stack and a profile
game_day      what a game day needs before it can be opened
steps         a fault as a step of the run sheet
sheet         all of a plan in the order of its times, to be read
model         a scenario, checked: its plan, and the experiment that is its target and load
other_target  a scenario on another target, which cannot play it
named         whether a name or a path is a scenario or an experiment
other_plans   the plan of an experiment
free          an exercise without steps
draw          the draw of a scenario or an experiment of a family
"""
