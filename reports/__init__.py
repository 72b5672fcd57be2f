"""From the record of a run to its verdict and its reports.

analysis        analyses a run: reads its record, judges, writes the reports
shared          names, errors, files, units and draws that all packages share
record          reads a run's folder
history         calls, attempts and sessions, joined from spans; the calls that met a fault
metastability   whether the stack stays down after the trigger is gone
measures        the measures, one per file
gates           conditions on measures, their verdicts, the verdict of the run
explanation     what broke and why, in words; failed calls grouped by reason
report          the data of report.json
by_hand         the fault windows of a stack that was up for chaos by hand
gameday         what people noticed, believed and did in an exercise, and how fast
gating          what a gate judges over several runs: regressions, baselines
comparison      a run compared with its twin; runs side by side
trend           many runs over time: series, and where the level of a measure changed
waterfall       the time line of single calls
writers         writes report.json, report.html, summary.md and junit.xml
"""
