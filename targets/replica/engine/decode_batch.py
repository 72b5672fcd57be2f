"""The decoding requests of a batch, which advance in lockstep: each step gives each of them one token.

The lockstep is kept as two counters, steps begun and steps ended, and one constant per request (`anchor`):

    tokens in the cache = anchor + ended        blocks held = blocks for (anchor + begun)

So a step updates no single request, and n steps cost no more than one.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from targets.replica.engine.kv import BLOCK_TOKENS, BlockPool, blocks_for
from targets.replica.engine.scheduled_request import ScheduledRequest

__all__ = ["DecodeBatch"]


class DecodeBatch:
    """The decoding requests. With `reserve`, requests already hold all their blocks when they are added."""

    def __init__(self, pool: BlockPool, reserve: bool) -> None:
        self.ended = 0  # steps
        self._begun = 0  # steps
        self._pool = pool
        self._reserve = reserve
        self._requests: dict[str, ScheduledRequest] = {}
        self._anchors = 0  # sum over the requests
        self._phases = [0] * BLOCK_TOKENS  # requests by anchor modulo 16: equal ones need a block in the same step
        self._unassigned: list[int] = []  # blocks held by the batch; assigned to a request when it is removed
        # heap of (last_step, arrival, serial number, request); may contain requests that left, or left and came back
        self._ends: list[tuple[int, int, int, ScheduledRequest]] = []
        self._serial = 0
        self._ids: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def requests(self) -> Iterable[ScheduledRequest]:
        """The requests, in the order in which they were added."""
        return self._requests.values()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the requests, in the order in which they were added."""
        if self._ids is None:
            self._ids = tuple(self._requests)
        return self._ids

    @property
    def context_tokens(self) -> int:
        """The sum of the requests' contexts in the step that begins next or is in flight."""
        return self._anchors + len(self._requests) * (self.ended + 1)

    @property
    def missing_blocks(self) -> int:
        """How many blocks the next step needs."""
        return 0 if self._reserve else self._phases[-self._begun % BLOCK_TOKENS]

    def begin(self, count: int) -> None:
        """`count` further steps begin: take the blocks that they need."""
        if not self._reserve:
            cycles, rest = divmod(count, BLOCK_TOKENS)
            need = cycles * len(self._requests)
            for step in range(self._begun, self._begun + rest):
                need += self._phases[-step % BLOCK_TOKENS]
            if need:
                self._unassigned.extend(self._pool.take(need))
        self._begun += count

    def undo_begin(self) -> None:
        """The step that has just begun does not take place. Only valid for an empty batch."""
        self._begun -= 1

    def add(self, request: ScheduledRequest) -> None:
        """Add a request whose prefill has just ended. Sets its `anchor` and `last_step`."""
        request.anchor = request.computed - self.ended
        request.last_step = request.prompt_tokens + request.output_tokens - 1 - request.anchor
        self._serial += 1
        heappush(self._ends, (request.last_step, request.rank[1], self._serial, request))
        self._requests[request.id] = request
        self._anchors += request.anchor
        self._phases[request.anchor % BLOCK_TOKENS] += 1
        self._ids = None

    def remove(self, request: ScheduledRequest) -> None:
        """Remove a request. Updates its `computed`, `produced` and `blocks`, and publishes its full blocks."""
        before = request.computed // BLOCK_TOKENS
        request.computed = request.anchor + self.ended
        request.produced = request.computed + 1 - request.prompt_tokens
        if not self._reserve:
            held = blocks_for(request.anchor + self._begun)
            while len(request.blocks) < held:
                request.blocks.append(self._unassigned.pop())
        self._pool.publish(request.blocks, request.hashes, before, request.computed // BLOCK_TOKENS)
        del self._requests[request.id]
        self._anchors -= request.anchor
        self._phases[request.anchor % BLOCK_TOKENS] -= 1
        self._ids = None

    def finished(self) -> list[ScheduledRequest]:
        """Returns the requests whose last step has just ended, in order of arrival. They stay in the batch."""
        finished: list[ScheduledRequest] = []
        ends = self._ends
        while ends and ends[0][0] <= self.ended:
            step, _, _, request = heappop(ends)
            if request.state == "decode" and request.last_step == step:
                request.last_step = -1  # a request that came back may be in the heap twice
                finished.append(request)
        return finished

    def steady_steps(self) -> int:
        """Returns the number of steps until a request finishes or a block is missing, the step in flight included.

        Only valid for a batch with requests, after `begin(1)`.
        """
        ends = self._ends
        while ends[0][3].state != "decode" or ends[0][3].last_step != ends[0][0]:
            heappop(ends)
        steps = ends[0][0] - self.ended
        decoding, free = len(self._requests), self._pool.free
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
