"""What runs inside the child processes of a run; `docs/wire.md` has the protocol with the runner.

entry         starts a gateway or a replica, with telemetry and counters
locustfile    starts the load generator, with telemetry and counters
probe         one call of the load's client, before any load
environment   the variables that each child gets
telemetry     the OpenTelemetry SDK, and the count of its spans
"""
