"""Parts of a report as plain strings and lists, shared by report.html and summary.md. Pure.

accounts        tenants and tiers: calls, good calls and shed calls by phase
cost            dollars by phase, by pool and at the knee
metastability   whether the stack stayed down after the fault: verdict and evidence
"""
