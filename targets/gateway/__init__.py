"""The reference gateway: pure policies and a pure router, with an aiohttp server around them.

server       the aiohttp shell: listens, runs requests and their attempts, probes replicas
routing      chooses a replica for each attempt, and keeps each replica's state; pure
policies     resilience policies, one per file; pure
api          both client APIs: bodies, headers, response streams
config       the configuration: upstreams and policies
behaviours   faults of the gateway itself, switched on over its control port
operations   what the operator changes while it runs: drained pools, shed tiers, switched policies, added pools
telemetry    spans and Prometheus metrics

Only `server` opens sockets. `behaviours` uses the event loop, for leases and delays.
"""
