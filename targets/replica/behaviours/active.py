"""The active behaviours of a replica: their leases, the requests that they hit, and the counts of hits.

A lease that is not renewed ends the behaviour here, in the replica, even if its creator has died.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, Protocol

import msgspec

from targets.control import BehaviourError
from targets.replica.behaviours import BEHAVIOURS
from targets.replica.behaviours.activation import Activation
from targets.replica.behaviours.base import (
    ActsOnEngine,
    ActsOnStream,
    AnswersRequest,
    CannedAnswer,
    DelaysRequest,
    EngineControls,
    EngineLimits,
    HoldsRequest,
    LimitsEngine,
    OverridesHealth,
    ReplacesMetrics,
)
from targets.replica.behaviours.request_context import Hit, RequestContext
from targets.replica.behaviours.selector import EVERY_REQUEST, RequestSelector, share_draw
from targets.replica.delivery.driver import TimerHandle
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["ActiveBehaviours"]


class CallLater(Protocol):
    """`loop.call_later`."""

    def __call__(self, delay: float, callback: Callable[..., object], /, *args: Any) -> TimerHandle:
        """Call `callback` after `delay` seconds."""


@dataclass(frozen=True, slots=True)
class _BehaviourTrigger:
    """Fires a behaviour on one stream."""

    owner: ActiveBehaviours
    activation: Activation
    behaviour: ActsOnStream
    context: RequestContext
    after_tokens: int

    @property
    def fault_id(self) -> str:
        return self.activation.fault_id

    def fire(self, stream: OutgoingStream) -> None:
        activation = self.activation
        if not activation.selects(self.context) or (activation.selector.phase == "prefill" and stream.sent):
            return
        self.owner.count_hit(activation, self.context)
        self.behaviour.act(stream, activation.fault_id)


class ActiveBehaviours:
    """All active behaviours of one replica. `metrics` renders the true page `/metrics`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        call_later: CallLater,
        engine: EngineControls,
        metrics: Callable[[], bytes] = bytes,
    ) -> None:
        self.hits: dict[str, int] = {}
        self._clock = clock
        self._call_later = call_later
        self._engine = engine
        self._metrics = metrics
        self._limits = EngineLimits()
        self._activations: dict[str, Activation] = {}
        self._in_engine: dict[int, RequestContext] = {}

    def put(
        self,
        fault_id: str,
        kind: str,
        params: Mapping[str, Any],
        *,
        share: float | None,
        seed: int,
        lease_s: float,
        only: RequestSelector = EVERY_REQUEST,
    ) -> None:
        """Activate a behaviour, in place of one with the same id. It also hits streams that have already begun.

        Raises `BehaviourError`.
        """
        known = BEHAVIOURS.get(kind)
        if known is None:
            raise BehaviourError(f"unknown behaviour {kind!r}; known: {', '.join(BEHAVIOURS)}")
        try:
            behaviour = msgspec.convert(dict(params), known)
        except msgspec.ValidationError as error:
            raise BehaviourError(f"{kind}: {error}") from None
        if known.whole_replica and (share is not None or only != EVERY_REQUEST):
            raise BehaviourError(f"{kind} affects the whole replica: it takes no share and no selector of requests")
        if only.phase is not None and not isinstance(behaviour, ActsOnStream):
            raise BehaviourError(f"{kind} hits a request before its stream begins: it takes no phase")
        self._remove(fault_id, flush=False)  # what the old behaviour held, the new one holds or releases
        activation = Activation(fault_id, kind, behaviour, share, seed, lease_s, only)
        self._activations[fault_id] = activation
        self.hits.setdefault(fault_id, 0)
        self._start_lease(activation)
        if isinstance(behaviour, ReplacesMetrics):
            activation.metrics_at_start = self._metrics()
        self._apply_limits()
        if isinstance(behaviour, ActsOnEngine):
            self._act_on_engine(activation, behaviour)
        for context in list(self._in_engine.values()):
            self._apply(activation, context)
            if context.stream is not None:
                context.stream.flush()

    def renew(self, fault_ids: Iterable[str]) -> list[str]:
        """Renew leases. Returns the ids that are still active."""
        renewed = [fault_id for fault_id in fault_ids if fault_id in self._activations]
        for fault_id in renewed:
            self._start_lease(self._activations[fault_id])
        return renewed

    def remove(self, fault_id: str) -> int:
        """End a behaviour and release what it holds. Returns its hits (0 for an unknown id)."""
        self._remove(fault_id, flush=True)
        return self.hits.get(fault_id, 0)

    def _remove(self, fault_id: str, *, flush: bool) -> None:
        activation = self._activations.pop(fault_id, None)
        if activation is not None:
            activation.end()
            self._apply_limits()
            for context in list(self._in_engine.values()):
                if context.stream is not None:
                    context.stream.release(fault_id, flush=flush)

    def close(self) -> None:
        """End all behaviours."""
        for fault_id in list(self._activations):
            self.remove(fault_id)

    def listing(self) -> dict[str, dict[str, Any]]:
        """Returns the active behaviours by fault id, as in `GET /behaviours`."""
        now = self._clock()
        return {
            activation.fault_id: {
                "kind": activation.kind,
                "hits": self.hits[activation.fault_id],
                "expires_in_s": round(max(0.0, activation.expires_at - now), 3),
            }
            for activation in self._activations.values()
        }

    def on_request(self, context: RequestContext) -> tuple[float, CannedAnswer | None]:
        """A request has arrived. Returns its delay in seconds, and the answer in place of the engine's, if any."""
        delay_s = 0.0
        answer: CannedAnswer | None = None
        for activation in self._activations.values():
            activation.count_request(context)
            behaviour = activation.behaviour
            if isinstance(behaviour, DelaysRequest) and activation.selects(context):
                delay_s += behaviour.delay_s(share_draw(activation.seed, activation.fault_id, f"{context.key}/jitter"))
                self.count_hit(activation, context)
            elif answer is None and isinstance(behaviour, AnswersRequest) and activation.selects(context):
                answer = behaviour.answer()
                if answer is not None:
                    self.count_hit(activation, context)
        return delay_s, answer

    async def wait_while_held(self, context: RequestContext) -> None:
        """Wait as long as behaviours keep the request from the engine."""
        waited_for: set[str] = set()
        while True:
            holding = [
                activation
                for activation in self._activations.values()
                if isinstance(activation.behaviour, HoldsRequest)
                and activation.behaviour.holds
                and activation.fault_id not in waited_for
                and activation.selects(context)
            ]
            if not holding:
                return
            activation = holding[0]
            waited_for.add(activation.fault_id)
            self.count_hit(activation, context)
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            activation.held.append(future)
            await future

    def on_submit(self, context: RequestContext) -> None:
        """The request is about to enter the engine, and has a stream."""
        self._in_engine[id(context)] = context
        for activation in list(self._activations.values()):
            self._apply(activation, context)

    def on_end(self, context: RequestContext) -> None:
        """The request has ended. Idempotent."""
        self._in_engine.pop(id(context), None)

    def reports_healthy(self) -> bool:
        """Whether a behaviour answers health checks with 200."""
        behaviours = [activation.behaviour for activation in self._activations.values()]
        return any(each.reports_healthy for each in behaviours if isinstance(each, OverridesHealth))

    def metrics(self) -> bytes:
        """Returns the page `/metrics`, and counts the hits on it."""
        page = self._metrics()
        for activation in self._activations.values():
            if isinstance(activation.behaviour, ReplacesMetrics):
                page = activation.behaviour.metrics(page, activation.metrics_at_start)
                self.hits[activation.fault_id] += 1
        return page

    def count_hit(self, activation: Activation, context: RequestContext) -> None:
        """Count a hit on a request."""
        activation.hit += 1
        self.hits[activation.fault_id] += 1
        context.hits.append(Hit(activation.fault_id, activation.kind, self._clock()))

    def _apply(self, activation: Activation, context: RequestContext) -> None:
        """Apply a behaviour to a request in the engine."""
        behaviour = activation.behaviour
        if isinstance(behaviour, LimitsEngine | ActsOnEngine):
            self.count_hit(activation, context)
        elif isinstance(behaviour, ActsOnStream) and context.stream is not None and activation.selects(context):
            stream = context.stream
            if behaviour.only_streamed and not stream.streaming:
                return
            after = stream.total if behaviour.after_tokens is None else behaviour.after_tokens
            if activation.selector.phase == "decode":
                after = max(1, after)
            stream.add_trigger(_BehaviourTrigger(self, activation, behaviour, context, after))

    def _start_lease(self, activation: Activation) -> None:
        if activation.lease_timer is not None:
            activation.lease_timer.cancel()
        activation.expires_at = self._clock() + activation.lease_s
        activation.lease_timer = self._call_later(activation.lease_s, self.remove, activation.fault_id)

    def _apply_limits(self) -> None:
        """Apply the combined limits of all active behaviours to the engine, if they have changed."""
        limiting = [activation.behaviour for activation in self._activations.values()]
        limits = reduce(and_, (each.limits for each in limiting if isinstance(each, LimitsEngine)), EngineLimits())
        if limits != self._limits:
            self._limits = limits
            self._engine.limit(
                prefill=limits.prefill, decode=limits.decode, kv=limits.kv, max_sequences=limits.max_sequences
            )

    def _act_on_engine(self, activation: Activation, behaviour: ActsOnEngine) -> None:
        behaviour.act_on_engine(self._engine)
        if behaviour.every_s is not None:
            activation.engine_timer = self._call_later(behaviour.every_s, self._act_on_engine, activation, behaviour)
