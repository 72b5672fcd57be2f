"""Who is in the next step: the queue, the batch and its KV blocks, by vLLM's rules. Knows no time.

- Running requests first. A decoding request gets one token a step, a prompt as much as the step's budget leaves.
- Where blocks run out, the request that is last (by priority, then arrival) is preempted: its blocks are freed, its
  progress is lost (not what it has given out), and it waits again, before all that came after it.
- The same, before all else, where the cache has become smaller than what is held, or where someone asked for it.
- Then waiting requests, in order, until the batch, the budget or the memory is full; none in a step that preempted. A
  request enters when all of its prompt fits. One that does not fit keeps those behind it waiting, and is tried again
  once someone has left the batch.

The prompt that the budget cut off is always the last of the batch, so there is one at most, and all others decode in
lockstep. That is kept as two counters, steps begun and steps ended, and one constant for each request (`anchor`):

    tokens in the cache = anchor + ended        blocks held = blocks for (anchor + begun)

Nothing is done for a request in a step that changes nothing about it, and n steps cost no more than one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from targets.replica.engine.kv import BLOCK_TOKENS, BlockPool, blocks_for

__all__ = ["Admission", "Entry", "Outcome", "Plan", "Scheduler"]


@dataclass(slots=True, eq=False)
class Entry:
    """A request in the engine."""

    id: str
    hashes: Sequence[int]
    prompt_tokens: int
    output_tokens: int
    rank: tuple[int, int]  # priority, then arrival: the order of the queue, and the last is the first to be preempted
    queued_since: float
    produced: int = 0  # output tokens; stale while decoding
    target: int = 0  # tokens to prefill
    computed: int = 0  # tokens in the cache; stale while decoding
    anchor: int = 0
    last_step: int = 0  # the count of ended steps with which it finishes
    blocks: array[int] = field(default_factory=lambda: array("i"))
    state: str = "waiting"  # waiting | prefill | decode | gone
    preempted: bool = False  # ever


class Admission(NamedTuple):
    """Someone left the queue."""

    entry: Entry
    cached_tokens: int


class Plan(NamedTuple):
    """The next step, and for how many steps the batch stays as it is."""

    preempted: list[Entry]
    admitted: list[Admission]
    prefill: int
    squares: int  # sum(Pi * (2 * si + Pi))
    decoding: int
    context: int
    steps: int  # 0: there is nothing to do


class Outcome(NamedTuple):
    """What came of the last step of a jump."""

    prefilled: list[Entry]  # their prefill ended, with a token
    ids: tuple[str, ...]  # all that got a token
    finished: list[Entry]


class Scheduler:
    """The discrete half of the engine. See the module."""

    def __init__(self, blocks: int, max_sequences: int, step_tokens: int, reserve_full_length: bool) -> None:
        if max_sequences < 1 or step_tokens < max_sequences:
            raise ValueError(
                f"a step's budget covers a token a sequence: {step_tokens} tokens, {max_sequences} sequences"
            )
        self.pool = BlockPool(blocks)
        self.built = blocks
        self.preempt_next = 0  # how many of the batch the next step preempts
        self.entries: dict[str, Entry] = {}
        self.prefix_hit_tokens = 0
        self.prefix_query_tokens = 0
        self.prefill_tokens = 0
        self.decoded_tokens = 0
        self.preemptions = 0
        self._most_sequences = self._max_sequences = max_sequences
        self._blocks = blocks  # that there are from the next step on
        self._step_tokens = step_tokens
        self._reserve = reserve_full_length
        self._waiting: list[Entry] = []
        self._blocked = False  # the first in the queue does not fit
        self._decoding: dict[str, Entry] = {}
        self._partial: Entry | None = None
        self._chunks: list[tuple[Entry, int]] = []  # of the step in flight
        self._arrivals = 0
        self._begun = 0
        self._ended = 0
        self._anchors = 0  # the sum over the decoding
        self._phases = [0] * BLOCK_TOKENS  # the decoding by anchor modulo 16: who needs a block in the same step
        self._loose: list[int] = []  # blocks that the decoding took; whose is whose is settled when one leaves
        # heap of (last_step, arrival, a serial number, entry); may hold some that left, or that left and came back
        self._ends: list[tuple[int, int, int, Entry]] = []
        self._serial = 0
        self._ids: tuple[str, ...] | None = None

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self.entries) - len(self._waiting)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def open(self) -> bool:
        """Whether the next step may admit someone."""
        return bool(self._waiting) and not self._blocked and self.running < self._max_sequences

    @property
    def ids(self) -> tuple[str, ...]:
        """Who decodes."""
        if self._ids is None:
            self._ids = tuple(self._decoding)
        return self._ids

    def add(
        self, id: str, hashes: Sequence[int], prompt_tokens: int, output_tokens: int, priority: int, now: float
    ) -> None:
        """Into the queue. Raises `ValueError`: no tokens, an id that is in use, more than the cache was built for."""
        if prompt_tokens < 1 or output_tokens < 1:
            raise ValueError(
                f"request {id!r}: {prompt_tokens} prompt and {output_tokens} output tokens; at least one of each"
            )
        if id in self.entries:
            raise ValueError(f"request {id!r} is in the engine already")
        if blocks_for(prompt_tokens + output_tokens - 1) > self.built:
            raise ValueError(
                f"request {id!r} can never fit: {prompt_tokens} + {output_tokens} tokens, "
                f"a cache of {self.built * BLOCK_TOKENS}"
            )
        self._arrivals += 1
        entry = Entry(id, hashes, prompt_tokens, output_tokens, (priority, self._arrivals), now)
        self.entries[id] = entry
        self._enqueue(entry)

    def remove(self, id: str) -> bool:
        """Out of the queue or the batch, at once. False where it is in neither."""
        entry = self.entries.get(id)
        if entry is None:
            return False
        if entry.state == "waiting":
            at = bisect_left(self._waiting, entry.rank, key=_rank)
            del self._waiting[at]
            if at == 0:
                self._blocked = False
        else:
            self._leave(entry)
        entry.state = "gone"
        del self.entries[id]
        return True

    def resize(self, blocks: int) -> bool:
        """From the next step on there are so many blocks; whether that is a change. Raises `ValueError` for none."""
        if blocks < 1:
            raise ValueError(f"a KV cache needs at least one block, not {blocks}")
        changes = blocks != self._blocks
        self._blocks = blocks
        return changes

    def set_max_sequences(self, max_sequences: int | None) -> None:
        """At most so many enter the batch (None: as many as ever). Raises `ValueError` for fewer than one."""
        if max_sequences is not None and max_sequences < 1:
            raise ValueError(f"a batch holds at least one sequence, not {max_sequences}")
        self._max_sequences = min(self._most_sequences, max_sequences or self._most_sequences)

    def plan(self, now: float) -> Plan:
        """Compose the next step and begin it. `now` is noted on the preempted."""
        preempted = self._disturb(now)
        admitted: list[Admission] = []
        chunks = self._chunks = []
        pool = self.pool
        if not self._reserve:
            while self._phases[-self._begun % BLOCK_TOKENS] > pool.free:
                preempted.append(self._preempt(now))
        self._begin(1)
        budget = self._step_tokens - len(self._decoding)
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
            while budget > 0 and self.open:
                admission = self._admit(self._waiting[0], budget)
                if admission is None:
                    self._blocked = True
                    break
                admitted.append(admission)
                budget -= chunks[-1][1]
        decoding = len(self._decoding)
        if not decoding and not chunks:
            self._begun -= 1
            return Plan(preempted, admitted, 0, 0, 0, 0, 0)
        prefill = sum(chunk for _, chunk in chunks)
        squares = sum(chunk * (2 * entry.computed + chunk) for entry, chunk in chunks)
        steps = 1 if chunks or self.open else self._steady()
        return Plan(
            preempted, admitted, prefill, squares, decoding, self._anchors + decoding * (self._ended + 1), steps
        )

    def _disturb(self, now: float) -> list[Entry]:
        """What was asked for since the last step: the preempted."""
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
        """`count` decode steps are over, and the next of the jump has begun."""
        self._ended += count
        self.decoded_tokens += count * len(self._decoding)
        self._begin(count)

    def finish_jump(self) -> Outcome:
        """The last step of the jump is over."""
        self._ended += 1
        prefilled: list[Entry] = []
        finished: list[Entry] = []
        ids = self.ids
        ends = self._ends
        while ends and ends[0][0] <= self._ended:
            step, _, _, entry = heappop(ends)
            if entry.state == "decode" and entry.last_step == step:
                entry.last_step = -1  # one that came back may stand there twice
                finished.append(entry)
        for entry, chunk in self._chunks:
            self.prefill_tokens += chunk
            if entry.state == "prefill":
                self._prefill(entry, chunk, prefilled, finished)
        if prefilled:
            ids += tuple(entry.id for entry in prefilled)
        self._chunks = []
        self.decoded_tokens += len(ids)
        for entry in finished:
            self._leave(entry)
            entry.state = "gone"
            del self.entries[entry.id]
        return Outcome(prefilled, ids, finished)

    def _enqueue(self, entry: Entry) -> None:
        insort(self._waiting, entry, key=_rank)
        if self._waiting[0] is entry:
            self._blocked = False

    def _prefill(self, entry: Entry, chunk: int, prefilled: list[Entry], finished: list[Entry]) -> None:
        before = entry.computed // BLOCK_TOKENS
        entry.computed += chunk
        self.pool.publish(entry.blocks, entry.hashes, before, entry.computed // BLOCK_TOKENS)
        if entry.computed < entry.target:
            self._partial = entry
            return
        if self._partial is entry:
            self._partial = None
        entry.produced += 1
        prefilled.append(entry)
        if entry.produced == entry.output_tokens:
            finished.append(entry)
            return
        entry.state = "decode"
        entry.anchor = entry.computed - self._ended
        entry.last_step = entry.prompt_tokens + entry.output_tokens - 1 - entry.anchor
        self._serial += 1
        heappush(self._ends, (entry.last_step, entry.rank[1], self._serial, entry))
        self._decoding[entry.id] = entry
        self._anchors += entry.anchor
        self._phases[entry.anchor % BLOCK_TOKENS] += 1
        self._ids = None

    def _admit(self, entry: Entry, budget: int) -> Admission | None:
        target = entry.prompt_tokens + entry.produced
        pool = self.pool
        # the last token is computed even where it is cached: its output is what is asked for
        found = pool.find(entry.hashes, (target - 1) // BLOCK_TOKENS)
        final = entry.prompt_tokens + entry.output_tokens - 1 if self._reserve else target
        if blocks_for(final) - len(found) > pool.free - pool.idle(found):
            return None
        del self._waiting[0]
        pool.hold(found)
        cached = len(found) * BLOCK_TOKENS
        chunk = min(target - cached, budget)
        entry.blocks = array("i", found)
        entry.blocks.extend(pool.take(blocks_for(final if self._reserve else cached + chunk) - len(found)))
        entry.state, entry.target, entry.computed = "prefill", target, cached
        self._chunks.append((entry, chunk))
        if not entry.preempted:
            self.prefix_query_tokens += target
            self.prefix_hit_tokens += cached
        return Admission(entry, cached)

    def _preempt(self, now: float) -> Entry:
        batch = [*self._decoding.values()]
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

    def _leave(self, entry: Entry) -> None:
        """Out of the batch; what it has computed stays findable."""
        self._blocked = False
        if entry.state == "decode":
            before = entry.computed // BLOCK_TOKENS
            entry.computed = entry.anchor + self._ended
            entry.produced = entry.computed + 1 - entry.prompt_tokens
            if not self._reserve:
                held = blocks_for(entry.anchor + self._begun)
                while len(entry.blocks) < held:
                    entry.blocks.append(self._loose.pop())
            self.pool.publish(entry.blocks, entry.hashes, before, entry.computed // BLOCK_TOKENS)
            del self._decoding[entry.id]
            self._anchors -= entry.anchor
            self._phases[entry.anchor % BLOCK_TOKENS] -= 1
            self._ids = None
        elif self._partial is entry:
            self._partial = None
        self.pool.release(entry.blocks)
        entry.blocks = array("i")

    def _begin(self, count: int) -> None:
        """`count` further steps begin: the decoding take the blocks that these need."""
        if not self._reserve:
            cycles, rest = divmod(count, BLOCK_TOKENS)
            need = cycles * len(self._decoding)
            for step in range(self._begun, self._begun + rest):
                need += self._phases[-step % BLOCK_TOKENS]
            if need:
                self._loose.extend(self.pool.take(need))
        self._begun += count

    def _steady(self) -> int:
        """Steps until someone finishes or a block is missing, the one that has just begun included."""
        ends = self._ends
        while ends[0][3].state != "decode" or ends[0][3].last_step != ends[0][0]:
            heappop(ends)
        steps = ends[0][0] - self._ended
        decoding, free = len(self._decoding), self.pool.free
        if self._reserve or blocks_for(steps) * decoding <= free:
            return steps
        cycles, free = divmod(free, decoding)
        affordable = 1 + cycles * BLOCK_TOKENS
        for step in range(self._begun, self._begun + BLOCK_TOKENS):
            free -= self._phases[-step % BLOCK_TOKENS]
            if free < 0:
                break
            affordable += 1
        return min(steps, affordable)


def _rank(entry: Entry) -> tuple[int, int]:
    return entry.rank
