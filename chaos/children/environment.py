"""The environment variables of a child process (`docs/wire.md`)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COUNTERS_EVERY_S", "Environment"]

COUNTERS_EVERY_S = 0.25
"""Seconds between two posts of counters of a process."""


class Environment:
    """The variables of this process. `collector`: its URL; empty: no collector, so no spans and no counters."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = environment.get("BROWNOUT_PROCESS", "alone")
        self.incarnation = int(environment.get("BROWNOUT_INCARNATION", "1"))
        self.token = environment.get("BROWNOUT_TOKEN", "")
        self.collector = environment.get("BROWNOUT_COLLECTOR", "")
        self.config = environment.get("BROWNOUT_CONFIG", "")
