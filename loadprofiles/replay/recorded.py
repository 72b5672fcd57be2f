"""A recorded session, whatever the format it was read from. Tokens and seconds as they were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Common", "RecordedAgent", "RecordedCall", "RecordedFork", "RecordedSession", "RecordedStep"]


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
    """One model call. `wait_s` before it was sent: a tool's work, or a person. `common` None: a new conversation."""

    input_tokens: int
    output_tokens: int
    wait_s: float
    wait_why: Literal["tool", "person"]
    asks_tool: bool
    streamed: bool
    common: Common | None


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
    """One session. `name` is the file's."""

    name: str
    main: RecordedAgent
