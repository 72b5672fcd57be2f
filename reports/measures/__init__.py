"""The measures of a report, one per file, or one family that shares a definition. `docs/measures.md` defines them.

catalogue      the specification of each measure, a plain dict; imports no arrays, so that a command line can use it
spec           what a specification contains: kind, unit, statistics, range, the spans it needs
value_range    the values that a measure can have
registry       the function of each measure, a plain dict
measurement    the result of a measure: value, interval, samples; or why it is not measured
gauges         counters of replicas within a scope

Calls and sessions:

call_counts, goodput, integrity, itl, latency, session_time, sessions, slo_attainment

The fault and the recovery:

blast_radius, failover, false_alerts, goodput_lost, metastable, time_to_alert, time_to_detect
time_to_readmit, time_to_recover

Cost:

cost, knee, prefill_amplification, retry_amplification, wasted_tokens

Load balance, limits and queues:

cold_cache_tail, fairness, gateway_wait, kv_peak, load_imbalance, migrations, preemptions, replica_queue, shed
"""
