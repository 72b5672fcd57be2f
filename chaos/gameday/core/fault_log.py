"""The faults of an exercise: when each began, what repairs it, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.gameday.core.judgement import Truth
from chaos.gameday.core.orders import Inject
from chaos.gameday.core.plan import Repair
from chaos.gameday.core.repairs import RESTART, is_repaired
from reports.gameday.periods import about

__all__ = ["FaultLog", "FaultRecord"]


@dataclass(slots=True)
class FaultRecord:
    """One fault. Times are seconds since the start of the exercise.

    `restarted`: its targets that were restarted since it began. `repaired_by`: the number of the operation that
    repaired it. `ended_by`: why it was reverted; "" while it is active.
    """

    id: str
    order: Inject
    targets: tuple[str, ...]
    params: Mapping[str, Any]
    cause: str
    components: tuple[str, ...]
    repairs: tuple[Repair, ...]
    begin_s: float
    end_s: float | None = None
    ended_by: str = ""
    repaired_by: int | None = None
    restarted: set[str] = field(default_factory=set)

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.end_s is None

    @property
    def truth(self) -> Truth:
        """As beliefs are judged against it."""
        return Truth(self.id, self.order.kind, self.cause, self.components, self.begin_s, self.end_s)


class FaultLog:
    """Every fault that was injected, in the order of their begins."""

    def __init__(self) -> None:
        self.all: dict[str, FaultRecord] = {}

    @property
    def active(self) -> list[FaultRecord]:
        """The faults that have not ended."""
        return [fault for fault in self.all.values() if fault.active]

    @property
    def repaired(self) -> bool:
        """Whether responders repaired a fault, and none is active."""
        return not self.active and any(fault.ended_by == "repair" for fault in self.all.values())

    def about(self, t_s: float) -> list[Truth]:
        """The faults that a belief at this time may be about, as the post-mortem has it."""
        return about([fault.truth for fault in self.all.values()], t_s)

    def begin(self, fault: FaultRecord) -> None:
        """A fault was injected."""
        self.all[fault.id] = fault

    def end(self, fault_id: str, why: str, t_s: float) -> FaultRecord | None:
        """A fault was reverted; None where it is not known or has ended before."""
        fault = self.all.get(fault_id)
        if fault is None or not fault.active:
            return None
        fault.end_s, fault.ended_by = t_s, why
        return fault

    def repaired_by(self, n: int, operation: str, arguments: Mapping[str, str]) -> Sequence[FaultRecord]:
        """The faults that the operation `n`, which was carried out now, repairs; also those that it has ended."""
        done = Repair(operation=operation, arguments=arguments)
        repaired = [fault for fault in self.all.values() if fault.repaired_by == n]
        for fault in self.active:
            if operation == RESTART:
                fault.restarted.add(arguments["replica"])
            if fault.repaired_by is None and is_repaired(fault.repairs, fault.restarted, done):
                fault.repaired_by = n
                repaired.append(fault)
        return repaired
