"""A fault that was injected by hand, and what its target must say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from chaos.by_hand.injection import Injection
from chaos.experiment.schedule import Occurrence
from chaos.faults.world import World
from chaos.runner.fault_play import FaultPlay

__all__ = ["EndReason", "HandFault", "HandWorld", "end_reason"]

EndReason = Literal["by hand", "repair", "time", "lease", "abort", "end"]
"""Why a fault is reverted: by a command, by a restart of its process, after its time, because its lease ended, by an
abort, at the end of the stack."""


def end_reason(named: object) -> EndReason:
    """The reason that a command names; else "by hand"."""
    found: EndReason
    for found in ("repair", "time", "lease", "abort", "end"):
        if named == found:
            return found
    return "by hand"


class HandWorld(World, Protocol):
    """The target of faults, which also says what is down."""

    def is_gone(self, name: str) -> bool:
        """Whether the process is not there."""


@dataclass(slots=True)
class HandFault:
    """A fault that was injected by hand. `since_s`, `ends_s`: on the loop's clock; None: it has no end of its own."""

    injection: Injection
    play: FaultPlay
    task: asyncio.Task[Any]
    since_s: float
    ends_s: float | None
    timer: asyncio.TimerHandle | None = None
    problem: str = ""
    """Why its play ended, where the record, the undo file or the shepherd was the reason."""
    why: EndReason | None = None
    """Why it is reverted: the first reason counts. None until then, and if its play ended by itself."""
    who: str = ""
    """Who ordered the revert, where the command named somebody."""

    @property
    def targets(self) -> list[str]:
        """Where it is now: its targets without those that were repaired."""
        return self.play.fault.targets

    def end(self, why: EndReason, who: str = "") -> None:
        """Ask for its revert. Idempotent: the first reason is kept."""
        if self.why is None and self.active:
            self.why, self.who = why, who
        if self.timer is not None:
            self.timer.cancel()
        self.play.end()

    @property
    def occurrence(self) -> Occurrence:
        """What was injected, with the targets where it is now."""
        return replace(self.injection.occurrence, targets=tuple(self.targets))

    @property
    def active(self) -> bool:
        """Whether it may act on its targets, or is about to."""
        return self.play.active or not self.task.done()
