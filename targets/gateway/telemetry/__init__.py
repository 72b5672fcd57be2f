"""What the gateway reports about itself.

tracing   spans of requests, attempts and policy transitions
metrics   counters, and `/metrics` in Prometheus' text format
"""
