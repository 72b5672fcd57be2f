"""What an experiment is, before anything runs.

model              an experiment with every default written out; the experiments that ship
file               the format of the file (pydantic)
target_format      the format of its `target:`
target_file        a file that names a target, for `--target`
resolved           an experiment as the record of a run stores it
draft              the valid parts of a file, for the checks
checks             what does not fit together, or does not match the target or the load
fault_checks       the same for single faults
value_checks       keys without a value
measurable         the same for gates: what this experiment cannot measure
gate_checks        gates that cannot fail or pass, repeat or exclude each other
guardrail_checks   guardrails that stop no run, or every run
gate_load          gates and guardrails that the planned load cannot reach
schedule           when an entry of the timeline occurs, and on which replicas
commands           the commands that faults would run on this machine, and whether they may
target_checks      what `run` will need for a user's own endpoint on this machine
wording            the experiment in words
timeline           the experiment as steps at times: the one timeline
short_form         the experiment in eight seconds
families           the order of the catalogue
load_scale         the factor of `--scale`
load_estimate      the sessions and calls that an experiment will offer
guardrails         when to stop a run
schema             the JSON Schema of the file, for editors
"""
