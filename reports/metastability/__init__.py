"""Does it stay down by itself after the trigger is gone? (Bronson et al., HotOS '21; Huang et al., OSDI '22.)

grace      how long it may take to recover: the longest client timeout + the backlog at spare capacity
judging    down or well in the time after it; what keeps it down; the verdict `metastable` or `overloaded`
twin       the run of the same seed without the fault, by its report
shedding   what became of it once new sessions were kept out for a while
told       the section of report.json
"""
