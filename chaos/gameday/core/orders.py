"""What the shell must do. Each order is a value; what becomes of it comes back to the exercise.

Inject      -> injected / inject_failed         Revert  -> reverted
Operate     -> operated                         Undo    -> undone
LoadStart, LoadStop, LoadLevel -> load_changed
Abort       -> reverted for each fault          End     -> reverted for each fault, then restored
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Abort",
    "End",
    "Inject",
    "LoadLevel",
    "LoadStart",
    "LoadStop",
    "Operate",
    "Order",
    "Preview",
    "Release",
    "Revert",
    "RevertReason",
    "Undo",
]

RevertReason = Literal["repair", "by hand", "time", "lease", "abort", "end"]
"""Why a fault was reverted."""


@dataclass(frozen=True, slots=True)
class Inject:
    """Inject a fault. `step`: of the run sheet, "" by hand. `for_s`: None: until it is reverted. `who`: a name."""

    step: str
    kind: str
    options: Mapping[str, Any] = field(hash=False)
    for_s: float | None
    who: str


@dataclass(frozen=True, slots=True)
class Revert:
    """Revert a fault; None: all of them."""

    fault: str | None
    why: RevertReason
    who: str


@dataclass(frozen=True, slots=True)
class Operate:
    """An operation of a responder. `n`: its number in the exercise."""

    n: int
    operation: str
    arguments: Mapping[str, str] = field(hash=False)
    who: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Undo an operation that is in force."""

    n: int
    who: str


@dataclass(frozen=True, slots=True)
class LoadStart:
    """Start the load. `profile`: None: that of the exercise."""

    profile: str | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class LoadStop:
    """Stop the load."""

    who: str = ""


@dataclass(frozen=True, slots=True)
class LoadLevel:
    """Offer `factor` times the profile's sessions."""

    factor: float
    who: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """Say what exactly a fault would hit. The answer to the game master is the shell's; nothing comes back."""

    kind: str
    options: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Abort:
    """Revert every fault now, and let nothing be injected until `Release`."""

    who: str


@dataclass(frozen=True, slots=True)
class Release:
    """Let faults be injected again."""


@dataclass(frozen=True, slots=True)
class End:
    """The exercise has ended: revert every fault, stop the load, verify, then call `restored`."""

    why: str


Order = Inject | Revert | Operate | Undo | LoadStart | LoadStop | LoadLevel | Preview | Abort | Release | End
