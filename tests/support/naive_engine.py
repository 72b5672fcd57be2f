"""A second, simple implementation of the engine: one step at a time, an object for each request and each block.

Written from the rules (vLLM's scheduler, see `targets.replica.engine.scheduler`), not from the engine's code. It shares
only the events and the rates of a step with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from targets.hardware.step_cost import StepCost
from targets.replica.engine.engine import Admitted, EngineRequest, Event, Finished, FirstToken, Preempted, Tokens


@dataclass(eq=False)
class Block:
    holders: int = 0
    content: int | None = None


@dataclass(eq=False)
class Running:
    request: EngineRequest
    arrival: int
    queued_since: float
    blocks: list[Block] = field(default_factory=list)
    cached: int = 0  # tokens in the cache
    produced: int = 0  # output tokens
    target: int = 0  # tokens to prefill
    published: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        return (self.request.priority, self.arrival)

    @property
    def decoding(self) -> bool:
        return self.cached >= self.target


def pages(tokens: int) -> int:
    return (tokens + 15) // 16


class NaiveEngine:
    def __init__(
        self, cost: StepCost, kv_tokens: int, *, max_sequences: int, step_tokens: int, reserve_full_length: bool
    ) -> None:
        self.cost, self.rates = cost, cost.rates()
        self.blocks = [Block() for _ in range(kv_tokens // 16)]
        self.free = list(self.blocks)  # in the order in which they are taken
        self.index: dict[int, Block] = {}
        self.max_sequences, self.step_tokens, self.reserve = max_sequences, step_tokens, reserve_full_length
        self.most_sequences = max_sequences
        self.wanted = len(self.blocks)  # blocks from the next step on
        self.preempt_next = 0
        self.queue: list[Running] = []
        self.batch: list[Running] = []
        self.arrivals = 0
        self.origin, self.ticks = 0.0, 0
        self.step: list[tuple[Running, int]] | None = None  # in flight: requests and their tokens
        self.stuck: Running | None = None  # the head of the queue, if it did not fit
        self.events: list[Event] = []
        self.preemptions = self.decoded_tokens = 0

    @property
    def kv_used(self) -> int:
        return sum(1 for block in self.blocks if block.holders)

    def submit(self, now: float, request: EngineRequest) -> None:
        self.run(now)
        self.arrivals += 1
        self.queue.append(Running(request, self.arrivals, now))
        self.begin_if_idle(now)

    def begin_if_idle(self, now: float) -> None:
        if self.step is None:
            self.origin, self.ticks = now, 0
            self.begin()

    def resize(self, now: float, blocks: int) -> None:
        self.run(now)
        if blocks != self.wanted:
            self.wanted = blocks
            self.begin_if_idle(now)

    def set_max_sequences(self, now: float, max_sequences: int | None) -> None:
        self.run(now)
        self.max_sequences = min(self.most_sequences, max_sequences or self.most_sequences)
        self.begin_if_idle(now)

    def preempt_soon(self, now: float, count: int) -> None:
        self.run(now)
        if self.step is not None:
            self.preempt_next = max(self.preempt_next, count)

    def flush_cache(self, now: float) -> None:
        self.run(now)
        self.index.clear()
        for block in self.blocks:
            block.content = None

    def cancel(self, now: float, id: str) -> None:
        self.run(now)
        for place in (self.queue, self.batch):
            for running in place:
                if running.request.id == id:
                    place.remove(running)
                    self.stuck = None if place is self.batch or running is self.stuck else self.stuck
                    self.leave(running)
                    self.begin_if_idle(now)
                    return

    def set_factors(self, now: float, *, prefill: float, decode: float) -> None:
        self.run(now)
        self.rates = self.cost.rates(prefill=prefill, decode=decode)

    def advance(self, now: float) -> list[Event]:
        self.run(now)
        events, self.events = self.events, []
        return events

    def run(self, now: float) -> None:
        while self.step is not None and self.origin + self.ticks / 10**12 <= now:
            self.end(self.origin + self.ticks / 10**12)
            self.begin()

    def take(self) -> Block:
        block = self.free.pop(0)
        if block.content is not None:
            del self.index[block.content]
            block.content = None
        block.holders = 1
        return block

    def leave(self, running: Running) -> None:
        self.publish(running)
        for block in reversed(running.blocks):
            block.holders -= 1
            if not block.holders:
                self.free.append(block)
        running.blocks = []

    def publish(self, running: Running) -> None:
        hashes = running.request.block_hashes
        full = list(zip(hashes, running.blocks, strict=False))[running.published : running.cached // 16]
        for content, block in full:
            if content not in self.index:
                self.index[content] = block
                block.content = content
        running.published = running.cached // 16

    def preempt(self) -> Running:
        victim = max(self.batch, key=lambda running: running.rank)
        self.batch.remove(victim)
        self.leave(victim)
        victim.cached = victim.published = 0
        victim.target = 1 << 60
        victim.queued_since = self.origin + self.ticks / 10**12
        self.queue.append(victim)
        self.events.append(Preempted(victim.queued_since, victim.request.id))
        self.preemptions += 1
        self.stuck = None
        return victim

    def apply_requested_changes(self) -> bool:
        before = self.preemptions
        for _ in range(min(self.preempt_next, len(self.batch))):
            self.preempt()
        self.preempt_next = 0
        while len(self.blocks) - self.wanted > len(self.free):
            self.preempt()
        while len(self.blocks) > self.wanted:
            lost = self.take()
            self.blocks.remove(lost)
        if len(self.blocks) < self.wanted:
            new = [Block() for _ in range(self.wanted - len(self.blocks))]
            self.blocks += new
            self.free[:0] = new
            self.stuck = None
        return self.preemptions > before

    def begin(self) -> None:
        at = self.origin + self.ticks / 10**12
        step: list[tuple[Running, int]] = []
        preempted = self.apply_requested_changes()

        def needing_a_block() -> list[Running]:
            return [r for r in self.batch if r.decoding and pages(r.cached + 1) > len(r.blocks)]

        while len(needing_a_block()) > len(self.free):
            self.preempt()
            preempted = True
        for running in needing_a_block():
            running.blocks.append(self.take())
        step += [(running, 1) for running in self.batch if running.decoding]
        for running in [running for running in self.batch if not running.decoding]:
            chunk = min(running.target - running.cached, self.step_tokens - sum(tokens for _, tokens in step))
            while running in self.batch and pages(running.cached + chunk) - len(running.blocks) > len(self.free):
                self.preempt()
                preempted = True
            step = [(other, tokens) for other, tokens in step if other in self.batch]
            if running in self.batch:
                while pages(running.cached + chunk) > len(running.blocks):
                    running.blocks.append(self.take())
                step.append((running, chunk))
        self.queue.sort(key=lambda running: running.rank)
        while self.queue and not preempted and self.queue[0] is not self.stuck:
            budget = self.step_tokens - sum(tokens for _, tokens in step)
            if budget == 0 or len(self.batch) >= self.max_sequences:
                break
            running = self.queue[0]
            request = running.request
            target = request.prompt_tokens + running.produced
            found: list[Block] = []
            for content in request.block_hashes[: (target - 1) // 16]:
                if content not in self.index:
                    break
                found.append(self.index[content])
            final = request.prompt_tokens + request.output_tokens - 1 if self.reserve else target
            if pages(final) - len(found) > len([block for block in self.free if block not in found]):
                self.stuck = running
                break
            self.queue.pop(0)
            for block in found:
                if not block.holders:
                    self.free.remove(block)
                block.holders += 1
            running.blocks, running.cached, running.target = found, 16 * len(found), target
            running.published = len(found)
            chunk = min(target - running.cached, budget)
            while pages(final if self.reserve else running.cached + chunk) > len(running.blocks):
                running.blocks.append(self.take())
            self.batch.append(running)
            step.append((running, chunk))
            self.events.append(Admitted(at, request.id, running.cached, running.queued_since))
        if not step:
            self.step = None
            if preempted:
                self.begin()
            return
        decoding = [running for running, _ in step if running.decoding]
        prefilling = [(running, chunk) for running, chunk in step if not running.decoding]
        self.ticks += self.rates.step(
            sum(chunk for _, chunk in prefilling),
            sum(chunk * (2 * running.cached + chunk) for running, chunk in prefilling),
            len(decoding),
            sum(running.cached + 1 for running in decoding),
        )
        self.step = step

    def end(self, at: float) -> None:
        assert self.step is not None
        here = [(running, tokens, running.decoding) for running, tokens in self.step if running in self.batch]
        ids: list[str] = []
        finished: list[tuple[bool, int, Running]] = []
        for running, tokens, decoding in sorted(here, key=lambda entry: not entry[2]):
            running.cached += tokens
            if not decoding:
                self.publish(running)
            if running.decoding:
                running.produced += 1
                ids.append(running.request.id)
                if not decoding:
                    self.events.append(FirstToken(at, running.request.id))
                if running.produced == running.request.output_tokens:
                    finished.append((not decoding, running.arrival if decoding else 0, running))
        if ids:
            self.events.append(Tokens(at, tuple(ids)))
            self.decoded_tokens += len(ids)
        for _, _, running in sorted(finished, key=lambda entry: entry[:2]):  # decoding requests first, by arrival
            self.events.append(Finished(at, running.request.id))
            self.batch.remove(running)
            self.leave(running)
            self.stuck = None
