"""One dialect of an endpoint: what a server sends byte by byte, and the right outcome of one call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from reports.shared.attributes import Outcome

__all__ = ["Close", "Dialect", "Step"]


class Close(Enum):
    """How a server ends a connection."""

    FIN = auto()
    RST = auto()


Step: TypeAlias = bytes | float | Close
"""What a server does next: send bytes, wait for seconds, or end the connection."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One case. A field that is None is not checked.

    `why`: the standard, or what the vendor's SDK does. `sends`: the steps for each request, the last for all later
    requests. `text`, `tools` (arguments of each tool call), `tokens`, `terminals`, `pieces` (logged chunks), `attempts`
    and `status`: what the record of the call must have. `says`: a part of its message. `estimated`: the token count is
    an estimate.
    """

    name: str
    why: str
    sends: tuple[tuple[Step, ...], ...]
    outcome: Outcome = Outcome.OK
    api: str = "openai"
    stream: bool = True
    text: str | None = None
    tools: tuple[str, ...] | None = None
    tokens: int | None = None
    estimated: bool | None = None
    terminals: int | None = None
    pieces: int | None = None
    attempts: int = 1
    status: int | None = 200
    says: str = ""
    retries: str = "none"
    finish: str | None = None
