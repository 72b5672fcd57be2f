"""Plays an experiment and writes its record.

run              one whole run, in nine steps
setup            starts every process, and waits until the target is ready
adapter_gateway  a real gateway that the run starts in front of its replicas
timeline_play    executes the steps of the timeline, each at its time
fault_play       one fault: inject, confirm, revert, verify
fault_plays      prepares the faults of a run to be played
live_world       what a fault may do to the processes of the run
command_faults   what becomes of exec faults at the end of a run
user_commands    runs the commands of exec faults
deployment       ports, configurations and commands of the processes
load_config      the configuration of the load generator
readiness        waits until servers are ready
listening        whether a gateway listens, and at which addresses
ports            free loopback ports that stay free for a run
load_control     commands and demand orders for the load generators
collector        receives spans and counters of every process
withheld_copies  copies of spans that tell no fault, for a back-end of the user's
refusals         connections that were refused on this machine
alert_receiver   receives the alerts of the user's monitoring
gateway_cpu      the CPU that a gateway that is not ours uses
carry_watch      whether it carries the load of the baseline
run_watch        ends the run early for a guardrail, a silent process, an unexpected exit
counters         the counters that each process posts, checked
silence          notices a process that posts no counters any more
cpu_wait         how long a process has waited for a CPU
record_writer    writes the record of the run
progress         the progress on the terminal
probe            one call to a user's endpoint before any load
probe_result     what that call found, in words
reached          that call at a replica
steady_check     judges `steady_state` before a fault is injected
confirmation     confirmation by shedding: is a failure self-sustaining?
early_end        ends a run early; the precedence of exit codes
interrupts       Ctrl-C and other signals: the first and the second one
analysis_child   the analysis of the record, in a process of its own
"""
