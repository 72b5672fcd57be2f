"""The capabilities of a behaviour. Each has at least one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import msgspec

from targets.replica.stream import AnswerStream

__all__ = ["ActsInStream", "AnswersRequest", "Behaviour", "CannedAnswer", "DelaysRequest", "SlowsEngine"]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all: a struct whose fields are the parameters."""


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """What a client gets instead of an answer. `body` None: an error in the API's own shape."""

    status: int
    retry_after_s: float | None
    body: str | None


@runtime_checkable
class DelaysRequest(Protocol):
    """Holds a request back before it reaches the engine."""

    def delay_s(self, draw: float) -> float:
        """For how long, in seconds; `draw` is uniform in [0, 1)."""


@runtime_checkable
class AnswersRequest(Protocol):
    """Answers a request itself."""

    def answer(self) -> CannedAnswer:
        """With what."""


@runtime_checkable
class ActsInStream(Protocol):
    """Acts on a stream once it has sent so many tokens."""

    @property
    def after_tokens(self) -> int:
        """Tokens that still go out. A stream that is past them already is met at once."""

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """The stream is there."""


@runtime_checkable
class SlowsEngine(Protocol):
    """Slows the whole engine down; has no share."""

    @property
    def decode_factor(self) -> float:
        """Decode steps take this many times as long."""
