"""`brownout gate`: experiments for a pipeline, with one exit code and files at fixed places.

request   the options of the command
plan      which runs will be played, on which sides and with which seeds; problems before anything starts
sides     the other side of `--against`: a stack, a gateway or a target file
play      plays the runs, judges after each, and writes the files
series    the runs of one experiment so far, and what they say together
budget    the time that a gate may take
show      the results on the terminal
files     gate.json, junit.xml and summary.md, and what GitHub shows
command   the command
"""
