"""What the supervisor tells a child process through its environment (`docs/wire.md`)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COUNTERS_EVERY_S", "Environment"]

COUNTERS_EVERY_S = 0.25
"""How often each process posts its counters."""


class Environment:
    """The variables of this process. `collector` is empty where there is none: no spans, no counters."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = environment.get("BROWNOUT_PROCESS", "alone")
        self.incarnation = int(environment.get("BROWNOUT_INCARNATION", "1"))
        self.token = environment.get("BROWNOUT_TOKEN", "")
        self.collector = environment.get("BROWNOUT_COLLECTOR", "")
        self.config = environment.get("BROWNOUT_CONFIG", "")
