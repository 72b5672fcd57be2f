"""Runs the engine in real time: wakes when a token is due and hands it to its stream.

The engine decides when; this only keeps up. Its clock is monotonic seconds. How late tokens were handed over (after
the write to the socket) is kept, since a replica that lags tells lies about the hardware that it stands for.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from targets.replica.engine.engine import Admitted, Engine, EngineRequest, Finished, FirstToken, Preempted, Tokens

__all__ = ["ITL_BOUNDS_S", "Driver", "Histogram", "Job", "Phase", "Sink", "TimerHandle"]

LATENESS_BOUNDS_MS: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
ITL_BOUNDS_S: Final = (
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
    40.0,
    80.0,
)


class TimerHandle(Protocol):
    """What `loop.call_later` returns."""

    def cancel(self) -> None:
        """Forget the call."""


class Sink(Protocol):
    """Where a job's tokens go."""

    def flush(self) -> None:
        """The job has produced tokens, or has finished: pass on what may be."""


class Histogram:
    """Counts by upper bound (the last bucket is infinity), with sum and maximum."""

    __slots__ = ("bounds", "count", "counts", "max", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.count = 0
        self.sum = 0.0
        self.max = 0.0

    def add(self, value: float, times: int = 1) -> None:
        """Count `value`, `times` times."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.count += times
        self.sum += value * times
        if value > self.max:
            self.max = value


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a request's way through the engine: "queue", "prefill" or "decode", in the engine's seconds."""

    name: str
    start: float
    end: float


@dataclass(slots=True)
class Job:
    """One request in the engine, and what came of it so far."""

    request: EngineRequest
    sink: Sink
    submitted_at: float = 0.0
    admitted_at: float | None = None  # first admission
    first_at: float | None = None
    last_at: float = 0.0  # the engine's time of the last token
    flushed_at: float = 0.0
    finished_at: float | None = None
    produced: int = 0
    cached_tokens: int = 0
    computed_tokens: int = 0  # prompt (and, after a preemption, output) tokens computed, those of the cache left out
    preemptions: int = 0
    phases: list[Phase] = field(default_factory=list)
    phase: str = "queue"
    phase_from: float = 0.0
    computing_tokens: int = 0  # what the prefill under way has to compute in all

    def turn(self, at: float, phase: str) -> None:
        """The current phase ends, another one begins."""
        self.phases.append(Phase(self.phase, self.phase_from, at))
        self.phase, self.phase_from = phase, at


class Driver:
    """The asyncio side of the engine. `clock` and `call_later` are the loop's, handed in."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], TimerHandle],
        token_overhead_s: float = 0.0,
    ) -> None:
        self.engine = engine
        self.lateness_ms = Histogram(LATENESS_BOUNDS_MS)
        self.itl_s = Histogram(ITL_BOUNDS_S)
        self._clock = clock
        self._call_later = call_later
        self._token_overhead_s = token_overhead_s
        self._jobs: dict[str, Job] = {}
        self._prefilling: dict[str, Job] = {}  # in order of admission
        self._prefilled_tokens = 0  # of the engine's prefill tokens, those that some job has been given
        self._timer: TimerHandle | None = None
        self._due = math.inf

    def submit(self, job: Job) -> None:
        """Hand a request to the engine. Raises `ValueError` when it can never fit."""
        now = self._clock()
        self._pump(now)
        self.engine.submit(now, job.request)
        job.submitted_at = job.phase_from = now
        self._jobs[job.request.id] = job
        self._schedule()

    def cancel(self, job: Job) -> None:
        """Take a request out of the engine, at once. Idempotent; nothing where it has finished."""
        if job.request.id not in self._jobs:
            return
        now = self._clock()
        self._pump(now)
        if self._jobs.pop(job.request.id, None) is None:
            return  # it has finished just now
        self.engine.cancel(now, job.request.id)
        self._stop_prefill(job)
        job.finished_at = now
        job.phases.append(Phase(job.phase, job.phase_from, now))
        self._schedule()

    def limit(self, *, prefill: float, decode: float, kv: float, max_sequences: int | None) -> None:
        """From the next step on: steps take `prefill` and `decode` times as long, `kv` of the cache's blocks are there
        (rounded down, at least one), `max_sequences` run at once (None: as many as ever)."""
        now = self._clock()
        self._pump(now)
        engine = self.engine
        engine.set_factors(now, prefill=prefill, decode=decode)
        engine.resize(now, max(1, math.floor(kv * engine.kv_initial)))
        engine.set_max_sequences(now, max_sequences)
        self._after(now)

    def preempt(self, count: int) -> None:
        """With the next step so many of the running go back into the queue."""
        now = self._clock()
        self._pump(now)
        self.engine.preempt(now, count)
        self._after(now)

    def flush_cache(self) -> None:
        """The prefix cache forgets all it knows."""
        now = self._clock()
        self._pump(now)
        self.engine.flush_cache(now)

    def _after(self, now: float) -> None:
        """Pass on what a change brought about at once (where no step was in flight), and wake for what comes."""
        self._pump(now)
        self._schedule()

    def close(self) -> None:
        """Stop waking."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = None, math.inf
        self._jobs.clear()

    def lateness(self) -> dict[str, Any]:
        """Tokens by lateness, as in docs/wire.md."""
        histogram = self.lateness_ms
        names = [f"{bound:g}" for bound in histogram.bounds] + ["inf"]
        return {
            "count": histogram.count,
            "sum": histogram.sum,
            "max": histogram.max,
            "buckets": dict(zip(names, histogram.counts, strict=True)),
        }

    def _wake(self) -> None:
        self._timer, self._due = None, math.inf
        self._pump(self._clock())
        self._schedule()

    def _schedule(self) -> None:
        due = self.engine.next_token_at()
        if due is None:
            return
        due += self._token_overhead_s
        if self._timer is not None:
            if self._due <= due:  # an earlier wake costs less than a timer moved at each submission
                return
            self._timer.cancel()
        self._due = due
        # The clock is read again: what has just been written to a hundred sockets took its time. A wake that is too
        # early (uvloop's timers count whole milliseconds) finds nothing and sets the timer once more; a fraction of one
        # on top makes that rare.
        self._timer = self._call_later(max(0.0, due - self._clock()) + 0.0003, self._wake)

    def _pump(self, now: float) -> None:
        """Take what has happened until now, and pass it on: one flush a stream, however many tokens are due."""
        events = self.engine.advance(now)
        if not events:
            return
        jobs = self._jobs
        touched: dict[str, Job] = {}
        produced: list[tuple[float, Job]] = []
        for event in events:
            at = event.at
            if isinstance(event, Tokens):
                for identity in event.ids:
                    job = jobs.get(identity)
                    if job is not None:
                        if job.produced:
                            self.itl_s.add(at - job.last_at)
                        job.produced += 1
                        job.last_at = at
                        touched[identity] = job
                        produced.append((at, job))
                continue
            job = jobs.get(event.id)
            if job is None:
                continue
            if isinstance(event, Admitted):
                self._admitted(job, event)
            elif isinstance(event, FirstToken):  # the token itself comes with the next `Tokens`
                job.turn(at, "decode")
                job.computed_tokens += job.computing_tokens
                self._prefilled_tokens += job.computing_tokens
                self._prefilling.pop(event.id, None)
                if job.first_at is None:
                    job.first_at = at
            elif isinstance(event, Preempted):
                job.preemptions += 1
                self._stop_prefill(job)
                job.turn(at, "queue")
            elif isinstance(event, Finished):
                del jobs[event.id]
                job.finished_at = at
                job.phases.append(Phase(job.phase, job.phase_from, at))
                touched[event.id] = job
        if not self._prefilling:
            self._prefilled_tokens = self.engine.prefill_tokens
        for job in touched.values():
            job.sink.flush()
            job.flushed_at = self._clock()
        for at, job in produced:
            self.lateness_ms.add(1000 * max(0.0, job.flushed_at - at - self._token_overhead_s))

    def _admitted(self, job: Job, event: Admitted) -> None:
        job.turn(event.at, "prefill")
        if job.admitted_at is None:
            job.admitted_at = event.at
            job.cached_tokens = event.cached_tokens
        job.computing_tokens = job.request.prompt_tokens + job.produced - event.cached_tokens
        self._prefilling[job.request.id] = job

    def _stop_prefill(self, job: Job) -> None:
        """A prefill ends before its time. Only the request admitted first can have got anywhere with it: as in vLLM,
        the step's budget goes to the prompts in order, so one at most is computed in part."""
        if job.request.id not in self._prefilling:
            return
        if next(iter(self._prefilling)) == job.request.id:
            progress = min(job.computing_tokens, max(0, self.engine.prefill_tokens - self._prefilled_tokens))
            job.computed_tokens += progress
            self._prefilled_tokens += progress
        del self._prefilling[job.request.id]
