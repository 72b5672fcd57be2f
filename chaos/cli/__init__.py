"""The command line: one module a command, and what several commands share.

app            the command `brownout`, its options and exit codes
options        the options that several commands have
by_hand_commands  the commands of chaos by hand and their options
gate_commands  the commands `gate` and `baseline` and their options
targets_commands  the commands `targets` and their options
history_command  the command `history` and its options
gameday_commands  the commands for exercises with people and their options
listing        `list`: experiments, scenarios, stacks, profiles, faults, measures
playable       `list --target`: which experiments a target can play
show           `show`: one experiment in full
show_scenario  `show`: one scenario in full
show_named     `show`: which of the two a name is
runbook        `runbook`: the page for the meeting before an exercise
gameday        `gameday`: from its options to an exercise with people
check          `check`: validates experiments and scenarios, and prints their plans
check_scenario  what `check` prints of a scenario
plan           whether the planned load is enough to decide each gate
gate           `gate`: experiments for a pipeline, repeated and compared
baseline       `baseline`: stored runs that later ones are compared with
stored_runs    the runs in folders that a baseline is made of
run            `run`: one run, a run and its twin, or one for each stack and seed
run_json       `run --json`: the result of the runs on standard output
output         where a command that plays runs shows them and keeps their records
preparation    reads an experiment and its trace, before anything is started
play           plays one experiment: its record, then its verdict
scale_ramp     `--scale auto`: a ramp before the run finds the factor
side_by_side   several stacks or seeds: one run after the other
retry_inconclusive  a run again where the machine was the doubt
twin           a run, then the same without the faults
twin_table     the differences between a run and its twin
compare        `compare`: finished runs side by side
history        `history`: runs over time, and where a measure changed its level
up             `up`: a stack that stays up
by_hand        what the commands of chaos by hand do
verdict        the verdict on the terminal, and `report`
heal           `heal`: undoes what an ended run has left
console        the console of every command
lasting_output  standard output that nobody may read: it holds up no run
targets        `targets`: real gateways, their installation and configuration
"""
