"""The driver with a scripted engine and a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from targets.hardware.step_cost import StepCost
from targets.replica.delivery.driver import Driver
from targets.replica.delivery.job import EnginePhase, Job
from targets.replica.engine.engine import Admitted, Engine, EngineRequest, Finished, FirstToken, Preempted, Tokens


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class ScriptedEngine:
    """A clock with its timers, and an engine whose events are given."""

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


class RecordingSink:
    def __init__(self) -> None:
        self.flushes: list[tuple[float, int, bool]] = []
        self.engine: ScriptedEngine | None = None
        self.job: Job | None = None

    def flush(self) -> None:
        assert self.engine is not None
        assert self.job is not None
        self.flushes.append((round(self.engine.now, 3), self.job.produced, self.job.finished_at is not None))


def started(engine: ScriptedEngine, tokens: int = 4, identity: str = "1") -> tuple[Driver, Job, RecordingSink]:
    driver = Driver(cast(Engine, engine), clock=engine.clock, call_later=engine.call_later)
    sink = RecordingSink()
    job = Job(EngineRequest(identity, (), 100, tokens), sink)
    sink.engine, sink.job = engine, job
    driver.submit(job)
    return driver, job, sink


def test_the_driver_wakes_for_each_token_and_at_no_other_time() -> None:
    engine = ScriptedEngine(
        Admitted(100.01, "1", 32, 100.0),
        FirstToken(100.05, "1"),
        Tokens(100.05, ("1",)),
        Tokens(100.07, ("1",)),
        Tokens(100.09, ("1",)),
        Finished(100.09, "1"),
    )
    driver, job, sink = started(engine)
    engine.run(101)
    assert sink.flushes == [(100.05, 1, False), (100.07, 2, False), (100.09, 3, True)]
    assert not [timer for timer in engine.timers if not timer.cancelled]
    assert job.phases == [
        EnginePhase("queue", 100.0, 100.01),
        EnginePhase("prefill", 100.01, 100.05),
        EnginePhase("decode", 100.05, 100.09),
    ]
    assert (job.cached_tokens, job.computed_tokens, job.first_at) == (32, 68, 100.05)
    assert driver.itl_s.count == 2
    assert driver.itl_s.sum == pytest.approx(0.04)


def test_tokens_due_together_are_one_flush_and_lateness_is_counted_per_token() -> None:
    engine = ScriptedEngine(
        FirstToken(100.05, "1"), Tokens(100.05, ("1",)), Tokens(100.07, ("1",)), Tokens(100.09, ("1", "gone"))
    )
    driver, _, sink = started(engine)
    engine.run(101, late=0.061)
    assert sink.flushes == [(100.111, 3, False)]
    lateness = driver.lateness()
    assert lateness["count"] == 3
    assert lateness["max"] == pytest.approx(61.3)
    assert lateness["buckets"]["inf"] == 1
    assert lateness["buckets"]["50"] == 2


def test_a_preempted_request_passes_queue_and_prefill_again() -> None:
    engine = ScriptedEngine(
        Admitted(100.001, "1", 0, 100.0),
        FirstToken(100.1, "1"),
        Tokens(100.1, ("1",)),
        Preempted(100.2, "1"),
        Admitted(100.4, "1", 64, 100.2),
        FirstToken(100.5, "1"),
        Tokens(100.5, ("1",)),
        Finished(100.5, "1"),
    )
    _, job, _ = started(engine, tokens=2)
    engine.run(101)
    assert [phase.name for phase in job.phases] == ["queue", "prefill", "decode", "queue", "prefill", "decode"]
    assert (job.preemptions, job.produced, job.first_at) == (1, 2, 100.1)
    assert job.computed_tokens == 100 + (101 - 64)


def test_a_cancelled_request_gets_no_more_tokens_and_cancel_is_idempotent() -> None:
    engine = ScriptedEngine(
        Admitted(100.001, "1", 0, 100.0), FirstToken(100.1, "1"), Tokens(100.1, ("1",)), Tokens(100.2, ("1",))
    )
    driver, job, sink = started(engine)
    engine.run(100.15)
    driver.cancel(job)
    driver.cancel(job)
    engine.run(101)
    assert engine.cancelled == ["1"]
    assert len(sink.flushes) == 1
    assert job.phases[-1] == EnginePhase("decode", 100.1, 100.15)


def test_computed_tokens_add_up_even_if_a_prefill_is_aborted() -> None:
    timers = ScriptedEngine()
    engine = Engine(StepCost(a_s=0.01, b_s=1e-4), 100_000, step_tokens=1000, max_sequences=64)
    driver = Driver(engine, clock=timers.clock, call_later=timers.call_later)

    def job(identity: str, prompt_tokens: int) -> Job:
        sink = RecordingSink()
        made = Job(EngineRequest(identity, (), prompt_tokens, 5), sink)
        sink.engine, sink.job = timers, made
        driver.submit(made)
        return made

    complete, aborted, queued, late = job("1", 1500), job("2", 3500), job("3", 100), job("4", 400)
    timers.run(100.35)  # three steps of 0.11 s: the first prompt, and 1,500 tokens of the second
    driver.cancel(aborted)
    driver.cancel(queued)
    timers.run(110)
    assert (complete.computed_tokens, aborted.computed_tokens, queued.computed_tokens) == (1500, 1499, 0)
    assert late.computed_tokens == 400
    assert [made.finished_at is not None for made in (complete, aborted, queued, late)] == [True] * 4
    assert complete.produced == late.produced == 5


def test_a_request_that_can_never_fit_raises_and_sets_no_timer() -> None:
    engine = ScriptedEngine()
    with pytest.raises(ValueError, match="never fit"):
        started(engine, tokens=5000)
    assert engine.timers == []


def test_close_cancels_the_timer() -> None:
    engine = ScriptedEngine(FirstToken(100.1, "1"), Tokens(100.1, ("1",)))
    driver, _, sink = started(engine)
    driver.limit(prefill=1.0, decode=3.0, kv=1.0, max_sequences=None)
    driver.close()
    engine.run(101)
    assert (sink.flushes, engine.factor) == ([], 3.0)
