"""Many runs over time: series of runs that can be compared, their measures, and where the level of a measure changed.

reading         finds the report.json of runs below folders and reads what a history needs
grouping        groups runs into series: experiment, target, machine class, conditions
lines           the measures of a series, one line each, and which runs count for it
direction       whether more of a measure is better
steps           finds steps in a sequence of values, by permutation tests
change_points   the steps of all lines of a series, corrected for their number
history         the content of history.json
words           verdicts, values, changes and sparklines as text
"""
