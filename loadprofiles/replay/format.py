"""What a reader of traces is, to the rest of the replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loadprofiles.replay.recorded import Recorded

__all__ = ["Format", "Read"]


class Read(Protocol):
    """Reads files of one format, in their order.

    Raises `reports.shared.errors.InvalidFile` with the mistakes of every line; with `skip_bad` only where nothing good is
    left, and tells of them in what it returns.
    """

    def __call__(self, paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format. Its reader's module has it as `FORMAT`.

    `what`: for messages. `suffixes`: of the files that are read from a folder. `signs`: a file whose beginning holds
    all of them, whatever their case, is of this format. `defaults`: options of a replay where they differ from
    `TraceOptions`: what fits a minute of the stacks that ship.
    """

    name: str
    what: str
    suffixes: tuple[str, ...]
    signs: tuple[bytes, ...]
    read: Read
    defaults: Mapping[str, object] = field(default_factory=dict)
