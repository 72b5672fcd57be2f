"""The capabilities of a behaviour. Each has at least one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import msgspec

from reports.shared.attributes import Outcome
from targets.replica.delivery.stream import AnswerStream

__all__ = [
    "ActsInStream",
    "AnswersMetrics",
    "AnswersRequest",
    "Behaviour",
    "CannedAnswer",
    "DelaysRequest",
    "EngineControls",
    "EngineLimits",
    "HoldsRequest",
    "LimitsEngine",
    "PulsesEngine",
    "VouchesForHealth",
]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all: a struct whose fields are the parameters. Those whose capabilities are of the replica as a whole
    take no selectors of requests."""

    whole_replica: ClassVar[bool] = False
    only_streamed: ClassVar[bool] = False
    """Whether it can be seen in streamed answers alone."""


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """What a client gets instead of an answer. `body` None: an error in the API's own shape. `raw`: these bytes instead
    of any HTTP response, and then the end of the connection. `outcome` None: what the status says."""

    status: int
    retry_after_s: float | None = None
    body: str | None = None
    raw: bytes | None = None
    outcome: Outcome | None = None


@runtime_checkable
class DelaysRequest(Protocol):
    """Holds a request back before it reaches the engine."""

    def delay_s(self, draw: float) -> float:
        """For how long, in seconds; `draw` is uniform in [0, 1)."""


@runtime_checkable
class AnswersRequest(Protocol):
    """Answers a request itself."""

    def answer(self) -> CannedAnswer | None:
        """With what; None: not so, as its parameters are."""


@runtime_checkable
class HoldsRequest(Protocol):
    """Keeps a request from the engine, its connection open, as long as it is on."""

    @property
    def holds(self) -> bool:
        """Whether it does, as its parameters are."""


@runtime_checkable
class ActsInStream(Protocol):
    """Acts on a stream once it has sent so many tokens."""

    @property
    def after_tokens(self) -> int | None:
        """Tokens that still go out; None: all. A stream that is past them already is met at once."""

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """The stream is there."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What is left of an engine: steps take `prefill` and `decode` times as long, `kv` of the cache's blocks are there,
    and `max_sequences` run at once (None: as many as ever)."""

    prefill: float = 1.0
    decode: float = 1.0
    kv: float = 1.0
    max_sequences: int | None = None

    def __and__(self, other: EngineLimits) -> EngineLimits:
        """Both at once: factors and shares multiply, the smaller batch counts."""
        batches = [each.max_sequences for each in (self, other) if each.max_sequences is not None]
        return EngineLimits(
            self.prefill * other.prefill, self.decode * other.decode, self.kv * other.kv, min(batches, default=None)
        )


@runtime_checkable
class LimitsEngine(Protocol):
    """Takes something from the whole engine as long as it is on; has no selectors."""

    @property
    def limits(self) -> EngineLimits:
        """What it leaves."""


class EngineControls(Protocol):
    """What can be done to an engine."""

    def limit(self, *, prefill: float, decode: float, kv: float, max_sequences: int | None) -> None:
        """From the next step on, it has this much left. See `EngineLimits`."""

    def preempt(self, count: int) -> None:
        """With the next step, so many of the running go back into the queue."""

    def flush_cache(self) -> None:
        """The prefix cache forgets all it knows."""


@runtime_checkable
class PulsesEngine(Protocol):
    """Does something to the whole engine at once, and again and again; has no selectors."""

    @property
    def every_s(self) -> float | None:
        """Seconds between two times; None: once."""

    def pulse(self, engine: EngineControls) -> None:
        """Do it."""


@runtime_checkable
class VouchesForHealth(Protocol):
    """May answer the health checks with 200, whatever the replica's state."""

    @property
    def vouches(self) -> bool:
        """Whether it does, as its parameters are."""


@runtime_checkable
class AnswersMetrics(Protocol):
    """Answers `/metrics` instead of the replica."""

    def metrics(self, true: bytes, first: bytes) -> bytes:
        """The page: `true` is what holds now, `first` what held when the behaviour was put on."""
