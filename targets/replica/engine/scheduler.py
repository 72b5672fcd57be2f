"""Which requests are in the next step: the queue, the batch and its KV blocks, by vLLM's rules. Knows no time.

- Running requests first. A decoding request gets one token per step, a prompt as many as the step's budget leaves.
- If blocks run out, the last request (by priority, then arrival) is preempted: its blocks are freed, its progress is
  lost (but not the tokens already sent), and it waits again, ahead of all that arrived after it.
- Before that, requests are preempted because the cache became smaller than the blocks held, or on demand.
- Then waiting requests, in order, until the batch, the budget or the memory is full; none in a step that preempted. A
  request enters if its whole prompt fits. If it does not fit, it blocks the requests behind it, and is tried again
  after a request has left the batch.

A prompt that the budget cut off is always the last of the batch, so there is at most one. All other requests of the
batch decode in lockstep, see `targets.replica.engine.decode_batch`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

from targets.replica.engine.decode_batch import DecodeBatch
from targets.replica.engine.kv import BLOCK_TOKENS, BlockPool, blocks_for
from targets.replica.engine.scheduled_request import ScheduledRequest

__all__ = ["AdmittedRequest", "Scheduler", "StepPlan", "StepResult"]


class AdmittedRequest(NamedTuple):
    """A request that left the queue for the batch."""

    request: ScheduledRequest
    cached_tokens: int


class StepPlan(NamedTuple):
    """The next step, and the number of steps for which the batch stays unchanged."""

    preempted: list[ScheduledRequest]
    admitted: list[AdmittedRequest]
    prefill: int  # tokens
    squares: int  # sum(Pi * (2 * si + Pi)), see `targets.hardware.step_cost`
    decoding: int  # requests
    context: int  # tokens
    steps: int  # 0: no work


class StepResult(NamedTuple):
    """The result of the last step of a jump."""

    prefilled: list[ScheduledRequest]  # their prefill ended, with one token
    ids: tuple[str, ...]  # requests that got a token
    finished: list[ScheduledRequest]


class Scheduler:
    """The queue and the batch of an engine.

    Raises `ValueError` if a step's token budget is smaller than the batch.
    """

    def __init__(self, blocks: int, max_sequences: int, step_tokens: int, reserve_full_length: bool) -> None:
        if max_sequences < 1 or step_tokens < max_sequences:
            raise ValueError(
                f"a step's budget must have a token for each sequence: {step_tokens} tokens, {max_sequences} sequences"
            )
        self.pool = BlockPool(blocks)
        self.initial_blocks = blocks
        self.preempt_next = 0  # requests of the batch that the next step preempts
        self.requests: dict[str, ScheduledRequest] = {}
        self.prefix_hit_tokens = 0
        self.prefix_query_tokens = 0
        self.prefill_tokens = 0
        self.decoded_tokens = 0
        self.preemptions = 0
        self._initial_max_sequences = self._max_sequences = max_sequences
        self._blocks = blocks  # from the next step on
        self._step_tokens = step_tokens
        self._reserve = reserve_full_length
        self._waiting: list[ScheduledRequest] = []
        self._blocked = False  # the first request of the queue does not fit
        self._decoding = DecodeBatch(self.pool, reserve_full_length)
        self._partial: ScheduledRequest | None = None  # its prompt was cut off by the budget
        self._chunks: list[tuple[ScheduledRequest, int]] = []  # prefill tokens of the step in flight
        self._arrivals = 0

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self.requests) - len(self._waiting)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def can_admit(self) -> bool:
        """Whether the next step may admit a request."""
        return bool(self._waiting) and not self._blocked and self.running < self._max_sequences

    @property
    def decoding_ids(self) -> tuple[str, ...]:
        """The ids of the decoding requests."""
        return self._decoding.ids

    def add(
        self, id: str, hashes: Sequence[int], prompt_tokens: int, output_tokens: int, priority: int, now: float
    ) -> None:
        """Add a request to the queue.

        Raises `ValueError` if it has no tokens, its id is in use, or it exceeds the initial size of the cache.
        """
        if prompt_tokens < 1 or output_tokens < 1:
            raise ValueError(
                f"request {id!r}: {prompt_tokens} prompt and {output_tokens} output tokens; needs at least one of each"
            )
        if id in self.requests:
            raise ValueError(f"request {id!r} is already in the engine")
        if blocks_for(prompt_tokens + output_tokens - 1) > self.initial_blocks:
            raise ValueError(
                f"request {id!r} can never fit: {prompt_tokens} + {output_tokens} tokens, "
                f"a cache of {self.initial_blocks * BLOCK_TOKENS}"
            )
        self._arrivals += 1
        request = ScheduledRequest(id, hashes, prompt_tokens, output_tokens, (priority, self._arrivals), now)
        self.requests[id] = request
        self._enqueue(request)

    def remove(self, id: str) -> bool:
        """Remove a request from the queue or the batch. Returns False if it is in neither."""
        request = self.requests.get(id)
        if request is None:
            return False
        if request.state == "waiting":
            at = bisect_left(self._waiting, request.rank, key=_rank)
            del self._waiting[at]
            if at == 0:
                self._blocked = False
        else:
            self._leave(request)
        request.state = "gone"
        del self.requests[id]
        return True

    def resize(self, blocks: int) -> bool:
        """Resize the cache from the next step on. Returns whether the size changes. Raises `ValueError` below one."""
        if blocks < 1:
            raise ValueError(f"a KV cache needs at least one block, not {blocks}")
        changes = blocks != self._blocks
        self._blocks = blocks
        return changes

    def set_max_sequences(self, max_sequences: int | None) -> None:
        """Limit admission to a batch of this size (None: the initial size). Raises `ValueError` below one."""
        if max_sequences is not None and max_sequences < 1:
            raise ValueError(f"a batch holds at least one sequence, not {max_sequences}")
        self._max_sequences = min(self._initial_max_sequences, max_sequences or self._initial_max_sequences)

    def plan(self, now: float) -> StepPlan:
        """Compose the next step and begin it. `now` becomes `queued_since` of the preempted requests."""
        preempted = self._apply_requested_changes(now)
        admitted: list[AdmittedRequest] = []
        chunks = self._chunks = []
        pool, decoding = self.pool, self._decoding
        while decoding.missing_blocks > pool.free:
            preempted.append(self._preempt(now))
        decoding.begin(1)
        budget = self._step_tokens - len(decoding)
        partial = self._partial
        if partial is not None:
            chunk = min(partial.target - partial.computed, budget)
            while (need := blocks_for(partial.computed + chunk) - len(partial.blocks)) > pool.free:
                victim = self._preempt(now)
                preempted.append(victim)
                if victim is partial:
                    break
            else:
                if need > 0:
                    partial.blocks.extend(pool.take(need))
                chunks.append((partial, chunk))
                budget -= chunk
        if not preempted:
            while budget > 0 and self.can_admit:
                admission = self._admit(self._waiting[0], budget)
                if admission is None:
                    self._blocked = True
                    break
                admitted.append(admission)
                budget -= chunks[-1][1]
        if not len(decoding) and not chunks:
            decoding.undo_begin()
            return StepPlan(preempted, admitted, 0, 0, 0, 0, 0)
        return StepPlan(
            preempted,
            admitted,
            prefill=sum(chunk for _, chunk in chunks),
            squares=sum(chunk * (2 * request.computed + chunk) for request, chunk in chunks),
            decoding=len(decoding),
            context=decoding.context_tokens,
            steps=1 if chunks or self.can_admit else decoding.steady_steps(),
        )

    def _apply_requested_changes(self, now: float) -> list[ScheduledRequest]:
        """Apply the preemptions and the cache size requested since the last step. Returns the preempted requests."""
        preempted = [self._preempt(now) for _ in range(min(self.preempt_next, self.running))]
        self.preempt_next = 0
        pool = self.pool
        while pool.total - self._blocks > pool.free:
            preempted.append(self._preempt(now))
        if pool.total != self._blocks:
            self._blocked = self._blocked and self._blocks < pool.total
            pool.resize(self._blocks)
        return preempted

    def pass_steps(self, count: int) -> None:
        """`count` decode steps have ended, and the next step of the jump has begun."""
        decoding = self._decoding
        decoding.ended += count
        self.decoded_tokens += count * len(decoding)
        decoding.begin(count)

    def finish_jump(self) -> StepResult:
        """The last step of the jump has ended."""
        decoding = self._decoding
        decoding.ended += 1
        prefilled: list[ScheduledRequest] = []
        ids = decoding.ids
        finished = decoding.finished()
        for request, chunk in self._chunks:
            self.prefill_tokens += chunk
            if request.state == "prefill":
                self._prefill(request, chunk, prefilled, finished)
        if prefilled:
            ids += tuple(request.id for request in prefilled)
        self._chunks = []
        self.decoded_tokens += len(ids)
        for request in finished:
            self._leave(request)
            request.state = "gone"
            del self.requests[request.id]
        return StepResult(prefilled, ids, finished)

    def _enqueue(self, request: ScheduledRequest) -> None:
        insort(self._waiting, request, key=_rank)
        if self._waiting[0] is request:
            self._blocked = False

    def _prefill(
        self,
        request: ScheduledRequest,
        chunk: int,
        prefilled: list[ScheduledRequest],
        finished: list[ScheduledRequest],
    ) -> None:
        before = request.computed // BLOCK_TOKENS
        request.computed += chunk
        self.pool.publish(request.blocks, request.hashes, before, request.computed // BLOCK_TOKENS)
        if request.computed < request.target:
            self._partial = request
            return
        if self._partial is request:
            self._partial = None
        request.produced += 1
        prefilled.append(request)
        if request.produced == request.output_tokens:
            finished.append(request)
            return
        request.state = "decode"
        self._decoding.add(request)

    def _admit(self, request: ScheduledRequest, budget: int) -> AdmittedRequest | None:
        """Move the first request of the queue to the batch. Returns None if it does not fit."""
        target = request.prompt_tokens + request.produced
        pool = self.pool
        # the last token is computed even if it is cached: its output is the next token
        found = pool.find(request.hashes, (target - 1) // BLOCK_TOKENS)
        final = request.prompt_tokens + request.output_tokens - 1 if self._reserve else target
        if blocks_for(final) - len(found) > pool.free - pool.count_free(found):
            return None
        del self._waiting[0]
        pool.hold(found)
        cached = len(found) * BLOCK_TOKENS
        chunk = min(target - cached, budget)
        request.blocks = array("i", found)
        request.blocks.extend(pool.take(blocks_for(final if self._reserve else cached + chunk) - len(found)))
        request.state, request.target, request.computed = "prefill", target, cached
        self._chunks.append((request, chunk))
        if not request.preempted:
            self.prefix_query_tokens += target
            self.prefix_hit_tokens += cached
        return AdmittedRequest(request, cached)

    def _preempt(self, now: float) -> ScheduledRequest:
        """Move the last request of the batch back to the queue, and return it."""
        batch = [*self._decoding.requests]
        if self._partial is not None:
            batch.append(self._partial)
        victim = max(batch, key=_rank)
        self._leave(victim)
        self.preemptions += 1
        victim.state, victim.preempted, victim.queued_since = "waiting", True, now
        victim.computed = 0
        self._enqueue(victim)
        self._blocked = False
        return victim

    def _leave(self, request: ScheduledRequest) -> None:
        """Remove a request from the batch. Its computed blocks can still be found."""
        self._blocked = False
        if request.state == "decode":
            self._decoding.remove(request)
        elif self._partial is request:
            self._partial = None
        self.pool.release(request.blocks)
        request.blocks = array("i")


def _rank(request: ScheduledRequest) -> tuple[int, int]:
    return request.rank
