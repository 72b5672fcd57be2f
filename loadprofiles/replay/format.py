"""What a trace format is: its reader, and how its files are recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loadprofiles.replay.recorded import Recorded

__all__ = ["Format", "Reader"]


class Reader(Protocol):
    """Reads files of one format, in the given order.

    Raises `reports.shared.errors.InvalidFile` with the mistakes of every line. With `skip_bad`, lines (or files) with
    mistakes are skipped and returned in `Recorded.skipped`, and it raises only if nothing good is left.
    """

    def __call__(self, paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format, defined as `FORMAT` in its reader's module.

    `description`: for messages. `suffixes`: suffixes of the files that are read from a folder. `signatures`: a file
    whose beginning contains all of them, in any case, is of this format. `defaults`: options of a replay that differ
    from `TraceOptions`, sized for one minute on the shipped stacks.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]
    read: Reader
    defaults: Mapping[str, object] = field(default_factory=dict)
