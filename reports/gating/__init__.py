"""What a gate judges over several runs: its gates, and regressions from another side or from stored runs.

soundness      which runs may decide a gate
between_runs   the interval of a measure over several runs
gate_runs      a gate in one of several runs, and what was found over the runs
estimates      a gate on a share, a ratio, a percentile or a time over several runs
repeated       gates judged over the runs of one experiment
looks          --until-decided: a look after each run, until the verdict is certain
run_values     the values of one run that are compared, from its report.json
tolerances     how much worse each measure may become, and which measures are judged
worsening      how much worse a measure became over pairs of runs, with interval and p value
regressions    the runs of a head judged against those of a base: did any measure become worse?
baseline       the file of stored runs that later runs are compared with
outcome        the result of a gate, of one experiment and of all together
"""
