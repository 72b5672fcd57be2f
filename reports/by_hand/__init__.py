"""The report of a stack on which faults were injected by hand: a window for each.

windows      the fault windows of a record: baseline, fault, recovery
section      the windows in report.json, with the most important measures of each
"""
