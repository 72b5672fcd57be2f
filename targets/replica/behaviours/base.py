"""The capabilities of a behaviour. Each behaviour has at least one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import msgspec

from reports.shared.attributes import Outcome
from targets.replica.delivery.stream import OutgoingStream

__all__ = [
    "ActsOnEngine",
    "ActsOnStream",
    "AnswersRequest",
    "Behaviour",
    "CannedAnswer",
    "DelaysRequest",
    "EngineControls",
    "EngineLimits",
    "HoldsRequest",
    "LimitsEngine",
    "OverridesHealth",
    "ReplacesMetrics",
]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all behaviours: a struct whose fields are the parameters."""

    whole_replica: ClassVar[bool] = False
    """Whether it affects the replica as a whole, and so takes no share and no selector of requests."""
    only_streamed: ClassVar[bool] = False
    """Whether it hits only answers that are streamed."""


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """A response in place of the engine's answer. `body` None: an error in the format of the API. `raw`: bytes to send
    in place of an HTTP response before the connection is closed. `outcome` None: follows from the status."""

    status: int
    retry_after_s: float | None = None
    body: str | None = None
    raw: bytes | None = None
    outcome: Outcome | None = None


@runtime_checkable
class DelaysRequest(Protocol):
    """Delays a request before it reaches the engine."""

    def delay_s(self, draw: float) -> float:
        """Returns the delay in seconds; `draw` is uniform in [0, 1)."""


@runtime_checkable
class AnswersRequest(Protocol):
    """Answers a request in place of the engine."""

    def answer(self) -> CannedAnswer | None:
        """Returns the answer; None if its parameters do not call for one."""


@runtime_checkable
class HoldsRequest(Protocol):
    """Keeps a request from the engine while the behaviour is active. The connection stays open."""

    @property
    def holds(self) -> bool:
        """Whether its parameters call for it."""


@runtime_checkable
class ActsOnStream(Protocol):
    """Acts on a stream after a number of sent tokens."""

    @property
    def after_tokens(self) -> int | None:
        """Tokens that are sent before it acts; None: all. It acts at once on a stream that has sent more."""

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Act on the stream."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """The remaining capacity of an engine: prefill and decode take `prefill` and `decode` times as long, the cache has
    the share `kv` of its blocks, and `max_sequences` run at once (None: no limit by a fault)."""

    prefill: float = 1.0
    decode: float = 1.0
    kv: float = 1.0
    max_sequences: int | None = None

    def __and__(self, other: EngineLimits) -> EngineLimits:
        """Combines two limits: factors and shares are multiplied, the smaller batch counts."""
        batches = [each.max_sequences for each in (self, other) if each.max_sequences is not None]
        return EngineLimits(
            self.prefill * other.prefill, self.decode * other.decode, self.kv * other.kv, min(batches, default=None)
        )


@runtime_checkable
class LimitsEngine(Protocol):
    """Reduces the capacity of the engine while the behaviour is active. Takes no selectors."""

    @property
    def limits(self) -> EngineLimits:
        """The remaining capacity."""


class EngineControls(Protocol):
    """What behaviours can do to an engine."""

    def limit(self, *, prefill: float, decode: float, kv: float, max_sequences: int | None) -> None:
        """Limit the capacity from the next step on. See `EngineLimits`."""

    def preempt(self, count: int) -> None:
        """Preempt the last `count` running requests at the next step."""

    def flush_cache(self) -> None:
        """Empty the prefix cache."""


@runtime_checkable
class ActsOnEngine(Protocol):
    """Acts on the engine, once or periodically. Takes no selectors."""

    @property
    def every_s(self) -> float | None:
        """The period in seconds; None: once."""

    def act_on_engine(self, engine: EngineControls) -> None:
        """Act on the engine."""


@runtime_checkable
class OverridesHealth(Protocol):
    """Answers health checks with 200, whatever the state of the replica."""

    @property
    def reports_healthy(self) -> bool:
        """Whether its parameters call for it."""


@runtime_checkable
class ReplacesMetrics(Protocol):
    """Replaces the page `/metrics`."""

    def metrics(self, current: bytes, at_start: bytes) -> bytes:
        """Returns the page. `current` is the true one, `at_start` the true one at the PUT."""
