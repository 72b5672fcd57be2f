"""Every number of a report, one measure a file; its definition stands in `docs/measures.md`.

catalogue    what measures there are: kind, unit, statistics, what each rests on. Light; no arrays are imported
scope        which calls and sessions a measure is asked about: phases, pool, tenant
registry     the functions behind the names, a plain dict
the others   one measure, or one family that shares a definition, a file
"""
