"""What breaks, and when? Experiments, the timeline, faults, guardrails, the runner and the command line.

cli          the command `brownout`
experiment   experiment files; experiments/ the ones that ship
timeline     an experiment as steps at times (pure)
faults/      one fault a file: validate, inject, confirm, revert, verify
guardrails   when to stop a run (pure)
runner       plays an experiment and writes its record
collector    the embedded OTLP collector
shepherd     the parent of every process of a run; undoes and kills when the runner is gone
supervisor   the runner's end of the shepherd
entry        what each child process starts
"""
