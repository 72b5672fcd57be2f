"""Balancing policies: which replica gets a call among those that may take it. All pure.

round_robin         each replica in turn
least_outstanding   fewest requests in flight
p2c                 power of two choices on peak EWMA
least_work          least predicted engine time in flight
cheapest            lowest price among those predicted to meet the SLO
reported_load       fewest requests by the replicas' own metrics
affinity            a session stays where its prefix is cached, within bounded load
spillover           pools one after the other, the next when the one before is full
slow_start          a readmitted replica gets its share slowly
registry            the balancing policies by name
balancer            what they have in common
forecast            predicted engine time and output of a call
peak_ewma           moving average of latency that rises at once and falls slowly
"""
