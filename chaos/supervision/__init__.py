"""Processes of a run and the undo of its faults: both work when the runner is stopped or killed.

supervisor     what the runner uses: starts, signals and stops processes, arms and disarms faults
link           the runner's connection to the shepherd: starts it, renews the lease, sends requests
shepherd       the parent process of all processes of a run, a child subreaper
undo           the write-ahead file: how to undo each fault, on disk before its injection
whole_entries  appends whole entries to a file, and reserves space for the last ones
heal           does what the undo file of an ended run still lists
left_over      what an ended run has not undone, as text for the user
run_lock       the lock of a run's folder, while its runner or its shepherd lives
command        runs one command of the user's, with a process that watches over it
own_arguments  hides the arguments of this process from other accounts
identity       a process by pid, start time and boot id; signals through a pidfd
"""
