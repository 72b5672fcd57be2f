"""The driver against a scripted engine and a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from targets.hardware.step_cost import StepCost
from targets.replica.delivery.driver import Driver, Histogram, Job, Phase
from targets.replica.engine.engine import Admitted, Engine, EngineRequest, Finished, FirstToken, Preempted, Tokens


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class World:
    """A clock with its timers, and an engine that plays a script."""

    def __init__(self, *script: Any) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []
        self.script = sorted(script, key=lambda event: cast(float, event.at))
        self.cancelled: list[str] = []
        self.factor = 1.0
        self.prefill_tokens = 0

    def clock(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, call))
        return self.timers[-1]

    def submit(self, now: float, request: EngineRequest) -> None:
        if request.output_tokens > 1000:
            raise ValueError("can never fit")

    def cancel(self, now: float, identity: str) -> None:
        self.cancelled.append(identity)

    def set_factors(self, now: float, *, prefill: float = 1.0, decode: float = 1.0) -> None:
        self.factor = decode

    kv_initial = 100

    def resize(self, now: float, blocks: int) -> None:
        self.blocks = blocks

    def set_max_sequences(self, now: float, max_sequences: int | None) -> None:
        self.max_sequences = max_sequences

    def advance(self, now: float, *, tokens: bool = True) -> list[Any]:
        due = [event for event in self.script if event.at <= now]
        self.script = self.script[len(due) :]
        return due

    def next_token_at(self) -> float | None:
        return min((event.at for event in self.script if isinstance(event, FirstToken | Tokens)), default=None)

    def run(self, until: float, late: float = 0.0) -> None:
        while waiting := [timer for timer in self.timers if not timer.cancelled and timer.at <= until]:
            timer = min(waiting, key=lambda each: each.at)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at + late)
            timer.call()
        self.now = max(self.now, until)


class Seen:
    def __init__(self) -> None:
        self.flushes: list[tuple[float, int, bool]] = []
        self.world: World | None = None
        self.job: Job | None = None

    def flush(self) -> None:
        assert self.world is not None
        assert self.job is not None
        self.flushes.append((round(self.world.now, 3), self.job.produced, self.job.finished_at is not None))


def started(world: World, tokens: int = 4, identity: str = "1") -> tuple[Driver, Job, Seen]:
    driver = Driver(cast(Engine, world), clock=world.clock, call_later=world.call_later)
    seen = Seen()
    job = Job(EngineRequest(identity, (), 100, tokens), seen)
    seen.world, seen.job = world, job
    driver.submit(job)
    return driver, job, seen


def test_it_wakes_for_each_token_and_at_no_other_time() -> None:
    world = World(
        Admitted(100.01, "1", 32, 100.0),
        FirstToken(100.05, "1"),
        Tokens(100.05, ("1",)),
        Tokens(100.07, ("1",)),
        Tokens(100.09, ("1",)),
        Finished(100.09, "1"),
    )
    driver, job, seen = started(world)
    world.run(101)
    assert seen.flushes == [(100.05, 1, False), (100.07, 2, False), (100.09, 3, True)]
    assert not [timer for timer in world.timers if not timer.cancelled]
    assert job.phases == [
        Phase("queue", 100.0, 100.01),
        Phase("prefill", 100.01, 100.05),
        Phase("decode", 100.05, 100.09),
    ]
    assert (job.cached_tokens, job.computed_tokens, job.first_at) == (32, 68, 100.05)
    assert driver.itl_s.count == 2
    assert driver.itl_s.sum == pytest.approx(0.04)


def test_tokens_due_together_are_one_flush_and_lateness_is_counted_a_token() -> None:
    world = World(
        FirstToken(100.05, "1"), Tokens(100.05, ("1",)), Tokens(100.07, ("1",)), Tokens(100.09, ("1", "gone"))
    )
    driver, _, seen = started(world)
    world.run(101, late=0.061)
    assert seen.flushes == [(100.111, 3, False)]
    lateness = driver.lateness()
    assert lateness["count"] == 3
    assert lateness["max"] == pytest.approx(61.3)
    assert lateness["buckets"]["inf"] == 1
    assert lateness["buckets"]["50"] == 2


def test_a_preemption_sends_a_request_back_through_queue_and_prefill() -> None:
    world = World(
        Admitted(100.001, "1", 0, 100.0),
        FirstToken(100.1, "1"),
        Tokens(100.1, ("1",)),
        Preempted(100.2, "1"),
        Admitted(100.4, "1", 64, 100.2),
        FirstToken(100.5, "1"),
        Tokens(100.5, ("1",)),
        Finished(100.5, "1"),
    )
    _, job, _ = started(world, tokens=2)
    world.run(101)
    assert [phase.name for phase in job.phases] == ["queue", "prefill", "decode", "queue", "prefill", "decode"]
    assert (job.preemptions, job.produced, job.first_at) == (1, 2, 100.1)
    assert job.computed_tokens == 100 + (101 - 64)


def test_a_cancelled_request_gets_nothing_more_and_cancelling_twice_is_once() -> None:
    world = World(
        Admitted(100.001, "1", 0, 100.0), FirstToken(100.1, "1"), Tokens(100.1, ("1",)), Tokens(100.2, ("1",))
    )
    driver, job, seen = started(world)
    world.run(100.15)
    driver.cancel(job)
    driver.cancel(job)
    world.run(101)
    assert world.cancelled == ["1"]
    assert len(seen.flushes) == 1
    assert job.phases[-1] == Phase("decode", 100.1, 100.15)


def test_with_the_real_engine_what_was_computed_adds_up_also_when_a_prefill_is_broken_off() -> None:
    world = World()
    engine = Engine(StepCost(a_s=0.01, b_s=1e-4), 100_000, step_tokens=1000, max_sequences=64)
    driver = Driver(engine, clock=world.clock, call_later=world.call_later)

    def job(identity: str, prompt_tokens: int) -> Job:
        seen = Seen()
        made = Job(EngineRequest(identity, (), prompt_tokens, 5), seen)
        seen.world, seen.job = world, made
        driver.submit(made)
        return made

    whole, broken, queued, late = job("1", 1500), job("2", 3500), job("3", 100), job("4", 400)
    world.run(100.35)  # three steps of 0.11 s: the first prompt, and 1,500 tokens of the second
    driver.cancel(broken)
    driver.cancel(queued)
    world.run(110)
    assert (whole.computed_tokens, broken.computed_tokens, queued.computed_tokens) == (1500, 1499, 0)
    assert late.computed_tokens == 400
    assert [made.finished_at is not None for made in (whole, broken, queued, late)] == [True] * 4
    assert whole.produced == late.produced == 5


def test_what_can_never_fit_raises_and_leaves_nothing_behind() -> None:
    world = World()
    with pytest.raises(ValueError, match="never fit"):
        started(world, tokens=5000)
    assert world.timers == []


def test_close_stops_the_waking() -> None:
    world = World(FirstToken(100.1, "1"), Tokens(100.1, ("1",)))
    driver, _, seen = started(world)
    driver.limit(prefill=1.0, decode=3.0, kv=1.0, max_sequences=None)
    driver.close()
    world.run(101)
    assert (seen.flushes, world.factor) == ([], 3.0)


def test_a_histogram_counts_a_value_on_a_bound_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)
    assert histogram.counts == [2, 1, 1]
    assert (histogram.count, histogram.sum, histogram.max) == (4, 12.0, 9.0)
