"""The events `gateway_cpu`: what a gateway that is not ours used of the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CpuSample", "cpu_samples"]


@dataclass(frozen=True, slots=True)
class CpuSample:
    """Cores used in the second before `at_s` (seconds since zero): by all its processes, and by its busiest thread.

    `waiting`: the share of that time in which this thread was ready to run and had no CPU.
    """

    at_s: float
    cores: float
    busiest: float
    waiting: float


def cpu_samples(events: Iterable[Mapping[str, Any]], zero_ns: int) -> list[CpuSample]:
    """The samples among the events of a run."""
    return [
        CpuSample(
            (int(event["at"]) - zero_ns) / 1e9,
            float(event["cores"]),
            float(event["busiest"]),
            float(event.get("waiting") or 0.0),
        )
        for event in events
        if event.get("type") == "gateway_cpu"
    ]
