"""Waterfalls: the spans of one call as bars on a time axis, for the report page and for `brownout trace`.

data       the worst failovers of report.json: calls with their spans as a tree
calls      selects calls of a record (by name, slowest, worst failover) for `brownout trace`
rows       the spans of a call as rows, with the gateway's decisions
story      the same call in sentences, and everything a waterfall shows
bars       a waterfall as lines of text
terminal   `brownout trace`: prints waterfalls
"""
