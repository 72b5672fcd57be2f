"""Policies that decide which replicas are fit to get requests. All pure.

breaker    circuit breaker of one replica
ejection   outlier ejection: consecutive failures, low success rate, slowness
slowness   replicas whose time per token is many times that of the others
probes     readiness by active probes
panic      too many replicas are shut out: use all of them
"""
