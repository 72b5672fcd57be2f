"""What a record consists of: phases, faults, ends of processes, posts of counters, replicas. Times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.shared.fault_traits import FaultTraits

__all__ = ["FaultRecord", "GaugePost", "Phase", "ProcessExit", "Replica"]


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that began, in seconds since `Record.zero_ns`. `complete`: another phase, or the end, followed it."""

    name: str
    start_s: float
    end_s: float
    complete: bool

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


_NO_TRAITS: Final = FaultTraits()


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One fault as the runner recorded it. `stages` maps each stage to its time, in seconds since zero: the first time,
    but of `reverted` the last one, because a revert that did not hold was repeated.

    `hits`: as counted where the fault was applied; None where only the analysis can count them.
    """

    id: str
    kind: str
    targets: tuple[str, ...]
    pools: tuple[str, ...]
    params: Mapping[str, Any]
    share: float | None
    only: Mapping[str, Any]
    stages: Mapping[str, float]
    hits: int | None
    why: str
    traits: FaultTraits = _NO_TRAITS

    @property
    def picks_requests(self) -> bool:
        """Whether it hits only some of its targets' requests: a share, or those that selectors and counts choose."""
        return self.share is not None or bool(self.only)

    @property
    def injected_s(self) -> float | None:
        return self.stages.get("injected")

    @property
    def reverted_s(self) -> float | None:
        return self.stages.get("reverted")


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """A process that ended. `expected`: a fault or the end of the run ended it. `status`: exit code, or -signal."""

    name: str
    incarnation: int
    kind: str
    at_s: float
    status: int | None
    expected: bool


@dataclass(frozen=True, slots=True)
class GaugePost:
    """One post of a process's counters. `at_s`: seconds since zero. `data`: the snapshot of the process."""

    process: str
    incarnation: int
    kind: str
    at_s: float
    final: bool
    started: int
    ended: int
    cpu_s: float
    loop_lag_s: float
    loop_ticks: int
    late_ticks: int
    data: Mapping[str, Any]

    @property
    def instance(self) -> str:
        return f"{self.process}#{self.incarnation}"


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica of the stack file. `usd_per_hour` is the price of all its hardware."""

    name: str
    pool: str
    cloud: str
    hardware: str
    chips: int
    usd_per_hour: float
