"""A recorded session, independent of its format. Tokens and seconds are as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from reports.shared.errors import Problem

__all__ = [
    "Blocks",
    "CommonPrefix",
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
    """The blocks of `size` tokens that make up a prompt; the last one may be partial.

    Within one `scope` (a file), equal ids are equal text in all sessions.
    """

    scope: str
    size: int
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class CommonPrefix:
    """The prefix that a prompt has in common with an earlier prompt of the session.

    The earlier prompt is that of the same agent's `call`, or of the first call of `agent` if given. `tokens` None: the
    whole earlier prompt.
    """

    call: int
    tokens: int | None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One model call, sent `wait_s` seconds after the previous step, while a tool or a person was busy.

    `common` None: a new conversation. If `blocks` is given, it defines the prompt, and `common` is ignored.
    """

    input_tokens: int
    output_tokens: int
    wait_s: float
    wait_why: Literal["tool", "person"]
    asks_tool: bool
    streamed: bool
    common: CommonPrefix | None
    blocks: Blocks | None = None


@dataclass(frozen=True, slots=True)
class RecordedFork:
    """Concurrent sub-agents, started `wait_s` seconds after the previous step; each with its own delay in seconds."""

    wait_s: float
    agents: tuple[tuple[float, RecordedAgent], ...]


RecordedStep: TypeAlias = RecordedCall | RecordedFork


@dataclass(frozen=True, slots=True)
class RecordedAgent:
    """An agent's steps in order. Its prompts begin with `tool_tokens` of tools and `system_tokens` of system prompt."""

    id: str
    tool_tokens: int
    system_tokens: int
    steps: tuple[RecordedStep, ...]


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """One session. `name` is the name of its file, or its name in the format."""

    name: str
    main: RecordedAgent


class Sessions(Protocol):
    """Sessions by number: a tuple, or a reader's table that creates a session on access."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> RecordedSession: ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of a reader.

    `skipped`: the first mistakes in skipped lines or files; `skipped_count`: the number of all. `starts_s`: ascending
    starts of the sessions, in seconds since the first; None if the format does not record them, or if they do not make
    a load (sessions of months). `notes`: what else was left out, for the user.
    """

    sessions: Sessions
    skipped: tuple[Problem, ...] = ()
    skipped_count: int = 0
    starts_s: Sequence[float] | None = None
    notes: tuple[str, ...] = ()
