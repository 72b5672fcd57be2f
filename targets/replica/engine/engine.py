"""The engine of a simulated replica: continuous batching in exact time, without a clock, I/O or randomness.

    engine.submit(now, request)      engine.cancel(now, id)      engine.set_factors(now, decode=2.0)
    engine.resize(now, blocks)       engine.preempt(now, 1)      engine.set_max_sequences(now, 8)
    events = engine.advance(now)     engine.next_event_at()      engine.next_token_at()

The caller owns the clock: any seconds that do not go back. Steps follow one another without a gap while there is work.
Requests that arrive during a step, and changes of factors or sizes, take effect at its end. A cancelled request leaves
at once, but the step in flight keeps its duration, as on hardware. `targets.replica.engine.scheduler` decides which
requests are in a step, `targets.hardware.step_cost` how long it takes.

While the batch is unchanged, steps are not simulated one by one: the engine jumps to the next finish, prefill or
shortage of KV blocks, and computes the times of the tokens in between in closed form. The result is identical to the
last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from targets.hardware.step_cost import PICOSECONDS, StepCost
from targets.replica.engine.jump import Jump
from targets.replica.engine.kv import BLOCK_TOKENS
from targets.replica.engine.scheduler import Scheduler

__all__ = [
    "Admitted",
    "Engine",
    "EngineRequest",
    "Event",
    "Finished",
    "FirstToken",
    "Preempted",
    "Tokens",
]


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """A request as the engine sees it: lengths and content hashes, no text.

    `block_hashes`: chained hashes of the full 16-token blocks of prompt and output (which is known in advance). Blocks
    without a hash are never found in the prefix cache. `prompt_tokens` includes a partial answer that is continued. A
    lower `priority` is served first.
    """

    id: str
    block_hashes: Sequence[int]
    prompt_tokens: int
    output_tokens: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request left the queue, and its prefill begins; `cached_tokens` are not computed. Again after a preemption."""

    at: float
    id: str
    cached_tokens: int
    queued_since: float


@dataclass(frozen=True, slots=True)
class FirstToken:
    """The prefill has ended with a token: the first of the answer or, after a preemption, the next one.

    The `Tokens` event that follows at the same instant counts the token.
    """

    at: float
    id: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """A step has ended: each request of `ids` has one more output token."""

    at: float
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preempted:
    """A request lost its KV blocks and is back in the queue. Its earlier tokens are not produced again."""

    at: float
    id: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A request has its last token and has left the engine."""

    at: float
    id: str


Event = Admitted | FirstToken | Tokens | Preempted | Finished


class _Steps(NamedTuple):
    """Ended steps with the same requests: `Tokens` events in compact form."""

    jump: Jump
    first: int
    last: int
    ids: tuple[str, ...]


class Engine:
    """One engine. `kv_tokens` is the size of the cache, `step_tokens` the budget of a step (at least `max_sequences`).
    `reserve_full_length` reserves blocks for prompt and whole output on admission, so that nothing is ever preempted.

    Raises `ValueError` for invalid sizes. Methods raise it if `now` goes back.
    """

    def __init__(
        self,
        cost: StepCost,
        kv_tokens: int,
        *,
        max_sequences: int = 256,
        step_tokens: int = 2048,
        reserve_full_length: bool = False,
    ) -> None:
        self._cost = cost
        self._rates = cost.rates()
        self._scheduler = Scheduler(kv_tokens // BLOCK_TOKENS, max_sequences, step_tokens, reserve_full_length)
        self._jump: Jump | None = None
        self._now = float("-inf")
        self._events: list[Event | _Steps] = []

    @property
    def running(self) -> int:
        """Requests in the batch now."""
        return self._scheduler.running

    @property
    def waiting(self) -> int:
        """Requests in the queue now."""
        return self._scheduler.waiting

    @property
    def kv_used(self) -> int:
        """KV blocks held now."""
        return self._scheduler.pool.used

    @property
    def kv_total(self) -> int:
        """KV blocks of the cache now."""
        return self._scheduler.pool.total

    @property
    def kv_initial(self) -> int:
        """KV blocks of the cache at the start."""
        return self._scheduler.initial_blocks

    @property
    def prefix_hit_tokens(self) -> int:
        """Prompt tokens found in the prefix cache so far. Preempted requests count once, as in vLLM's metric."""
        return self._scheduler.prefix_hit_tokens

    @property
    def prefix_query_tokens(self) -> int:
        """Prompt tokens looked up in the prefix cache so far. Preempted requests count once."""
        return self._scheduler.prefix_query_tokens

    @property
    def prefill_tokens(self) -> int:
        """Tokens computed in prefill so far, recomputations and cancelled requests included."""
        return self._scheduler.prefill_tokens

    @property
    def decoded_tokens(self) -> int:
        """Output tokens produced so far."""
        return self._scheduler.decoded_tokens

    @property
    def preemptions(self) -> int:
        """Preemptions so far."""
        return self._scheduler.preemptions

    def submit(self, now: float, request: EngineRequest) -> None:
        """Add a request to the queue. An idle engine begins its first step at once.

        Raises `ValueError` if it can never fit, has no tokens, or its id is already in the engine.
        """
        self._run(now)
        self._scheduler.add(
            request.id, request.block_hashes, request.prompt_tokens, request.output_tokens, request.priority, now
        )
        if self._jump is None:
            self._compose(now, 0)
        elif self._scheduler.can_admit:
            self._jump.truncate()

    def cancel(self, now: float, id: str) -> None:
        """Remove a request from the queue or the batch at once. An unknown id has no effect."""
        self._run(now)
        if self._scheduler.remove(id):
            self._end_step_then_compose(now)

    def set_factors(self, now: float, *, prefill: float = 1.0, decode: float = 1.0) -> None:
        """From the next step on, prefill and decode work take this many times as long as on healthy hardware.

        Raises `ValueError` if a factor is not finite or not above zero.
        """
        rates = self._cost.rates(prefill=prefill, decode=decode)
        self._run(now)
        self._rates = rates
        if self._jump is not None:
            self._jump.truncate()

    def resize(self, now: float, blocks: int) -> None:
        """From the next step on, the cache has this many blocks. If more are held, the last requests are preempted
        until they fit. Free blocks are removed in the order in which they would have been taken; added blocks are
        empty. A request that is too large for the cache waits at the head of the queue.

        Raises `ValueError` for fewer than one.
        """
        self._run(now)
        if self._scheduler.resize(blocks):
            self._end_step_then_compose(now)

    def set_max_sequences(self, now: float, max_sequences: int | None) -> None:
        """From the next step on, admit requests only to a batch smaller than this (None, and at most: the initial
        size). Running requests continue.

        Raises `ValueError` for fewer than one.
        """
        self._run(now)
        self._scheduler.set_max_sequences(max_sequences)
        if self._jump is None or self._scheduler.can_admit:
            self._end_step_then_compose(now)

    def preempt(self, now: float, count: int) -> None:
        """Preempt the last `count` requests of the batch at the next step. Two calls in a step: the larger."""
        self._run(now)
        if self._jump is not None:
            self._scheduler.preempt_next = max(self._scheduler.preempt_next, count)
            self._jump.truncate()

    def flush_cache(self, now: float) -> None:
        """Empty the prefix cache. Running requests keep their blocks."""
        self._run(now)
        self._scheduler.pool.flush()

    def advance(self, now: float, *, tokens: bool = True) -> list[Event]:
        """Returns the events since the last call up to `now`, in order. Without `tokens`, no `Tokens` events."""
        self._run(now)
        if not self._events:
            return []
        events: list[Event] = []
        for event in self._events:
            if not isinstance(event, _Steps):
                events.append(event)
            elif tokens:
                end_of, ids = event.jump.end_of, event.ids
                events += [Tokens(end_of(step), ids) for step in range(event.first, event.last + 1)]
        self._events.clear()
        return events

    def next_event_at(self) -> float | None:
        """The earliest time of the next event that is not a decoded token, unless a request is submitted or cancelled
        before; None for an idle engine."""
        if self._jump is None or not self._scheduler.requests:
            return None
        return self._jump.end_of(self._jump.steps)

    def next_token_at(self) -> float | None:
        """The end of the step in flight, the earliest time of the next token; None for an idle engine."""
        if self._jump is None or not self._scheduler.requests:
            return None
        return self._jump.end_of(self._jump.ended + 1)

    def _run(self, now: float) -> None:
        if not now >= self._now:
            raise ValueError(f"time goes back: {now} after {self._now}")
        self._now = now
        scheduler, events = self._scheduler, self._events
        while (jump := self._jump) is not None:
            ended = jump.ended_by(now)
            whole = min(ended, jump.steps - 1)
            if whole > jump.ended:
                if scheduler.decoding_ids:
                    events.append(_Steps(jump, jump.ended + 1, whole, scheduler.decoding_ids))
                scheduler.pass_steps(whole - jump.ended)
                jump.ended = whole
            if ended < jump.steps:
                return
            at = jump.end_of(ended)
            result = scheduler.finish_jump()
            jump.ended = ended
            events += [FirstToken(at, request.id) for request in result.prefilled]
            if result.ids:
                events.append(_Steps(jump, ended, ended, result.ids))
            events += [Finished(at, request.id) for request in result.finished]
            self._compose(jump.origin, jump.ticks(ended))

    def _end_step_then_compose(self, now: float) -> None:
        """Compose a new step after the step in flight, or now if there is none."""
        if self._jump is not None:
            self._jump.truncate()
        else:
            self._compose(now, 0)

    def _compose(self, origin: float, ticks: int) -> None:
        """Begin the next step, `ticks` picoseconds after `origin`."""
        at = origin + ticks / PICOSECONDS
        plan = self._scheduler.plan(at)
        self._events += [Preempted(at, request.id) for request in plan.preempted]
        if not plan.steps:
            self._jump = None
            if plan.preempted:  # the batch is empty and its blocks are free: try again at the same instant
                self._compose(origin, ticks)
            return
        self._events += [
            Admitted(at, request.id, cached_tokens, request.queued_since) for request, cached_tokens in plan.admitted
        ]
        first = self._rates.step(plan.prefill, plan.squares, plan.decoding, plan.context)
        self._jump = Jump(origin, ticks, first, self._rates.growth(plan.decoding), plan.steps)
