"""The policies that responders can switch."""

from __future__ import annotations

from typing import Final

__all__ = ["POLICIES"]

POLICIES: Final[tuple[str, ...]] = (
    "retries: off",
    "retries: budget",
    "balancing: least_outstanding",
    "balancing: p2c",
    "balancing: round_robin",
    "ejection: on",
    "ejection: off",
    "migration: on",
    "migration: off",
    "throttling: on",
    "throttling: off",
    "timeouts: on",
)
"""By their names (`targets.gateway.operations.switches`)."""
