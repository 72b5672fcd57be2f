"""What a gate judges over several runs: regressions between two sides of runs, and the stored runs of a baseline.

run_values    the values of one run that are compared, from its report.json
tolerances    how much worse each measure may become, and which measures are judged
worsening     how much worse a measure became over pairs of runs, with interval and p value
regressions   the runs of a head judged against those of a base: did any measure become worse?
baseline      the file of stored runs that later runs are compared with
"""
