"""Faults inside our gateway, over its control port.

slow_scheduler   routing decisions are slow, or stop for a while
stuck_config     unhealthy replicas stay in the routing table
"""
