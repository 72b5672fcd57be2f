"""A recorded session, whatever the format it was read from. Tokens and seconds as they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from reports.shared.errors import Problem

__all__ = [
    "Blocks",
    "Common",
    "Recorded",
    "RecordedAgent",
    "RecordedCall",
    "RecordedFork",
    "RecordedSession",
    "RecordedStep",
    "Sessions",
]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of `size` tokens that a prompt is made of, the last one perhaps in part.

    Within one `scope` (a file) equal ids are equal text, whichever session they are in.
    """

    scope: str
    size: int
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Common:
    """How much of a prompt another prompt of the session began with.

    Of the same agent's `call`; or, where `agent` is given, of that agent's first call. `tokens` None: all of it.
    """

    call: int
    tokens: int | None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One model call. `wait_s` before it was sent: a tool's work, or a person.

    `common` None: a new conversation. Where `blocks` are given, they say what the prompt holds, and `common` nothing.
    """

    input_tokens: int
    output_tokens: int
    wait_s: float
    wait_why: Literal["tool", "person"]
    asks_tool: bool
    streamed: bool
    common: Common | None
    blocks: Blocks | None = None


@dataclass(frozen=True, slots=True)
class RecordedFork:
    """Sub-agents that ran side by side, `wait_s` after what was before; each with the time until it began."""

    wait_s: float
    agents: tuple[tuple[float, RecordedAgent], ...]


RecordedStep: TypeAlias = RecordedCall | RecordedFork


@dataclass(frozen=True, slots=True)
class RecordedAgent:
    """An agent's steps in their order. `tool_tokens` and `system_tokens` are what its prompts begin with."""

    id: str
    tool_tokens: int
    system_tokens: int
    steps: tuple[RecordedStep, ...]


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """One session. `name` is the file's, or what the format calls it."""

    name: str
    main: RecordedAgent


class Sessions(Protocol):
    """Sessions by number: a tuple, or a reader's table that makes a session when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> RecordedSession: ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was read.

    `skipped`: mistakes in what was passed over, the first of them only where there are many; `skipped_count`: of all.
    `starts_s`: when each session began, in seconds since the first, never falling; None where the format does not say,
    or where it makes no load (sessions of months). `notes`: what else a user should know of what was left out.
    """

    sessions: Sessions
    skipped: tuple[Problem, ...] = ()
    skipped_count: int = 0
    starts_s: Sequence[float] | None = None
    notes: tuple[str, ...] = ()
