"""Every number of a report, one measure a file; its definition stands in `docs/measures.md`.

catalogue    what measures there are, a plain dict. Light; no arrays are imported
spec         what is said of each there: kind, unit, statistics, what it rests on
scope        which calls and sessions a measure is asked about: phases, pool, tenant, tier
registry     the functions behind the names, a plain dict
the others   one measure, or one family that shares a definition, a file
"""
