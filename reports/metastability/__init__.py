"""Whether a stack stays down after the trigger is gone (Bronson et al., HotOS '21; Huang et al., OSDI '22).

grace            the grace period: longest client timeout + time to drain the backlog at spare capacity
judging          down or healthy after the grace period; the verdicts `metastable` and `overloaded`
persisting       what may keep the stack down: retries, wasted work, cache misses, each compared with the baseline
twin             the run of the same seed without the fault, from its report
shedding         the effect of admitting no new sessions for a while
report_section   the section `metastability` of report.json
"""
