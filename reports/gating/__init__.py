"""What a gate judges over several runs: its gates over repeated runs and over successive looks.

soundness      which runs may decide a gate
between_runs   the interval of a measure over several runs
repeated       gates judged over the runs of one experiment
looks          --until-decided: a look after each run, until the verdict is certain
"""
