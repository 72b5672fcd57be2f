"""The engine of a simulated replica: continuous batching in exact time, without a clock, I/O or randomness.

    engine.submit(now, request)      engine.cancel(now, id)      engine.set_factors(now, decode=2.0)
    engine.resize(now, blocks)       engine.preempt(now, 1)      engine.set_max_sequences(now, 8)
    events = engine.advance(now)     engine.next_event_at()      engine.next_token_at()

The caller owns the clock: any seconds that do not go back. Steps follow one another without a gap while there is work.
What arrives during a step, and a change of factors or sizes, wait for its end; a cancelled request leaves at once, but
the step in flight takes as long as it was begun with, as on hardware. Who is in a step is decided in
`targets.replica.engine.scheduler`, how long it takes in `targets.hardware.step_cost`.

As long as the batch stays as it is, steps are not simulated one by one: the engine jumps to the next finish, prefill or
shortage of KV blocks, and the times of the tokens between follow from a formula. The result is the same to
the last bit.
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

    `block_hashes`: chained hashes of the full 16-token blocks of prompt and output (which is known beforehand); a list
    that is too short only means that the rest is never found again. `prompt_tokens` includes a partial answer that is
    continued. A lower `priority` goes first.
    """

    id: str
    block_hashes: Sequence[int]
    prompt_tokens: int
    output_tokens: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Admitted:
    """Left the queue, prefill begins; `cached_tokens` need not be computed. Again after each preemption."""

    at: float
    id: str
    cached_tokens: int
    queued_since: float


@dataclass(frozen=True, slots=True)
class FirstToken:
    """Prefill is done, and its token exists: the first of the answer, or after a preemption the next one.

    The token is counted by the `Tokens` event that follows at the same instant.
    """

    at: float
    id: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """A step ended: each request of `ids` has one more output token."""

    at: float
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preempted:
    """Lost its KV blocks and is back in the queue. What it has given out it does not give out again."""

    at: float
    id: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last token exists; the request has left the engine."""

    at: float
    id: str


Event = Admitted | FirstToken | Tokens | Preempted | Finished


class _Steps(NamedTuple):
    """Steps that ended with the same requests: `Tokens` events not written out yet."""

    jump: Jump
    first: int
    last: int
    ids: tuple[str, ...]


class Engine:
    """One engine. `kv_tokens` is the size of the cache, `step_tokens` the budget of a step (at least `max_sequences`),
    `reserve_full_length` sets room for prompt and whole output aside on admission, so that nothing is ever preempted.

    Raises `ValueError` for sizes that cannot work. Methods raise it where `now` goes back.
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
        """Requests in the batch, now."""
        return self._scheduler.running

    @property
    def waiting(self) -> int:
        """Requests in the queue, now."""
        return self._scheduler.waiting

    @property
    def kv_used(self) -> int:
        """Blocks held, now."""
        return self._scheduler.pool.used

    @property
    def kv_total(self) -> int:
        """Blocks there are, now."""
        return self._scheduler.pool.total

    @property
    def kv_built(self) -> int:
        """Blocks there were at the beginning."""
        return self._scheduler.built

    @property
    def prefix_hit_tokens(self) -> int:
        """Prompt tokens found in the cache so far. Recomputations do not count, as in vLLM's metric."""
        return self._scheduler.prefix_hit_tokens

    @property
    def prefix_query_tokens(self) -> int:
        """Prompt tokens looked for so far."""
        return self._scheduler.prefix_query_tokens

    @property
    def prefill_tokens(self) -> int:
        """Tokens computed in prefill so far, recomputations and work for the cancelled included."""
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
        """Into the queue; an idle engine begins its first step at once.

        Raises `ValueError` where it can never fit, has no tokens, or its id is in the engine.
        """
        self._run(now)
        self._scheduler.add(
            request.id, request.block_hashes, request.prompt_tokens, request.output_tokens, request.priority, now
        )
        if self._jump is None:
            self._compose(now, 0)
        elif self._scheduler.open:
            self._jump.truncate()

    def cancel(self, now: float, id: str) -> None:
        """Out of the queue or the batch at once. Nothing where it is in neither."""
        self._run(now)
        if self._scheduler.remove(id):
            self._disturb(now)

    def set_factors(self, now: float, *, prefill: float = 1.0, decode: float = 1.0) -> None:
        """From the next step on, prefill and decode work take so many times as long as on healthy hardware.

        Raises `ValueError` where a factor is not finite or not above zero.
        """
        rates = self._cost.rates(prefill=prefill, decode=decode)
        self._run(now)
        self._rates = rates
        if self._jump is not None:
            self._jump.truncate()

    def resize(self, now: float, blocks: int) -> None:
        """From the next step on the cache has so many blocks. Where they are fewer than are held, the last are
        preempted until they are not; free blocks that go are the next that would have been taken, and all that come
        are empty. A request that is too large for them waits at the head of the queue.

        Raises `ValueError` for fewer than one.
        """
        self._run(now)
        if self._scheduler.resize(blocks):
            self._disturb(now)

    def set_max_sequences(self, now: float, max_sequences: int | None) -> None:
        """From the next step on at most so many run at once (None: as many as at the beginning, which is the most).
        Those that run go on.

        Raises `ValueError` for fewer than one.
        """
        self._run(now)
        self._scheduler.set_max_sequences(max_sequences)
        if self._jump is None or self._scheduler.open:
            self._disturb(now)

    def preempt(self, now: float, count: int) -> None:
        """With the next step the last `count` of the batch go back into the queue. Twice in one step: the larger."""
        self._run(now)
        if self._jump is not None:
            self._scheduler.preempt_next = max(self._scheduler.preempt_next, count)
            self._jump.truncate()

    def flush_cache(self, now: float) -> None:
        """No block is found by its content any more; who holds blocks keeps them."""
        self._run(now)
        self._scheduler.pool.flush()

    def advance(self, now: float, *, tokens: bool = True) -> list[Event]:
        """What happened until `now` and was not told before, in the order of time. `Tokens` only with `tokens`."""
        self._run(now)
        if not self._events:
            return []
        told: list[Event] = []
        for event in self._events:
            if not isinstance(event, _Steps):
                told.append(event)
            elif tokens:
                end_of, ids = event.jump.end_of, event.ids
                told += [Tokens(end_of(step), ids) for step in range(event.first, event.last + 1)]
        self._events.clear()
        return told

    def next_event_at(self) -> float | None:
        """When something other than a decoded token happens next, at the earliest, if nothing is submitted or
        cancelled; None for an idle engine."""
        if self._jump is None or not self._scheduler.entries:
            return None
        return self._jump.end_of(self._jump.steps)

    def next_token_at(self) -> float | None:
        """When the step in flight ends: no token comes before it. None for an idle engine."""
        if self._jump is None or not self._scheduler.entries:
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
                if scheduler.ids:
                    events.append(_Steps(jump, jump.ended + 1, whole, scheduler.ids))
                scheduler.pass_steps(whole - jump.ended)
                jump.ended = whole
            if ended < jump.steps:
                return
            at = jump.end_of(ended)
            outcome = scheduler.finish_jump()
            jump.ended = ended
            events += [FirstToken(at, entry.id) for entry in outcome.prefilled]
            if outcome.ids:
                events.append(_Steps(jump, ended, ended, outcome.ids))
            events += [Finished(at, entry.id) for entry in outcome.finished]
            self._compose(jump.origin, jump.ticks(ended))

    def _disturb(self, now: float) -> None:
        """The rules have changed: the step in flight is the last by the old ones."""
        if self._jump is not None:
            self._jump.truncate()
        else:
            self._compose(now, 0)

    def _compose(self, origin: float, ticks: int) -> None:
        """Begin the next step, `ticks` after `origin`."""
        at = origin + ticks / PICOSECONDS
        plan = self._scheduler.plan(at)
        self._events += [Preempted(at, entry.id) for entry in plan.preempted]
        if not plan.steps:
            self._jump = None
            if plan.preempted:  # nobody is left in the batch, and what they held is free: no time has passed
                self._compose(origin, ticks)
            return
        self._events += [
            Admitted(at, entry.id, cached_tokens, entry.queued_since) for entry, cached_tokens in plan.admitted
        ]
        first = self._rates.step(plan.prefill, plan.squares, plan.decoding, plan.context)
        self._jump = Jump(origin, ticks, first, self._rates.growth(plan.decoding), plan.steps)
