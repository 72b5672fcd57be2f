"""The report of a run as one nested dict: the content of report.json, from which every output file is written.

build      puts the report together; its version and its form for JSON
series     the timeline: values per second, for the charts
pressure   the part of the timeline about overload: waits and shed calls per second
alerts     the alerts of the user's monitoring
accounts   tenants and tiers by phase
"""
