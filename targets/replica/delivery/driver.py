"""Runs the engine in real time: wakes when a token is due and notifies its stream.

The engine decides when tokens are due; the driver only follows. Its clock is monotonic seconds. It records how late
tokens were written to the socket, because a late replica misrepresents the hardware that it simulates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Protocol

from targets.replica.delivery.histogram import Histogram
from targets.replica.delivery.job import EnginePhase, Job
from targets.replica.engine.engine import Admitted, Engine, Finished, FirstToken, Preempted, Tokens

__all__ = ["ITL_BOUNDS_S", "Driver", "TimerHandle"]

LATENESS_BOUNDS_MS: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
ITL_BOUNDS_S: Final = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip


class TimerHandle(Protocol):
    """The result of `loop.call_later`."""

    def cancel(self) -> None:
        """Cancel the call."""


class Driver:
    """The asyncio side of the engine. `clock` and `call_later` are those of the event loop."""

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
        self._prefilled_tokens = 0  # those prefill tokens of the engine that are already counted in a job
        self._timer: TimerHandle | None = None
        self._due = math.inf

    def submit(self, job: Job) -> None:
        """Submit a request to the engine. Raises `ValueError` if it can never fit."""
        now = self._clock()
        self._advance(now)
        self.engine.submit(now, job.request)
        job.submitted_at = job.phase_from = now
        self._jobs[job.request.id] = job
        self._schedule()

    def cancel(self, job: Job) -> None:
        """Remove a request from the engine at once. Idempotent; no effect after it has finished."""
        if job.request.id not in self._jobs:
            return
        now = self._clock()
        self._advance(now)
        if self._jobs.pop(job.request.id, None) is None:
            return  # it finished during this advance
        self.engine.cancel(now, job.request.id)
        self._stop_prefill(job)
        job.finished_at = now
        job.phases.append(EnginePhase(job.phase, job.phase_from, now))
        self._schedule()

    def limit(self, *, prefill: float, decode: float, kv: float, max_sequences: int | None) -> None:
        """From the next step on, prefill and decode take `prefill` and `decode` times as long, the cache has the share
        `kv` of its blocks (rounded down, at least one), and `max_sequences` run at once (None: no limit by a fault)."""
        now = self._clock()
        self._advance(now)
        engine = self.engine
        engine.set_factors(now, prefill=prefill, decode=decode)
        engine.resize(now, max(1, math.floor(kv * engine.kv_initial)))
        engine.set_max_sequences(now, max_sequences)
        self._advance_and_schedule(now)

    def preempt(self, count: int) -> None:
        """Preempt the last `count` running requests at the next step."""
        now = self._clock()
        self._advance(now)
        self.engine.preempt(now, count)
        self._advance_and_schedule(now)

    def flush_cache(self) -> None:
        """Empty the prefix cache."""
        now = self._clock()
        self._advance(now)
        self.engine.flush_cache(now)

    def _advance_and_schedule(self, now: float) -> None:
        """Process the immediate events of a change (if no step was in flight), and set the timer."""
        self._advance(now)
        self._schedule()

    def close(self) -> None:
        """Cancel the timer and forget all jobs."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = None, math.inf
        self._jobs.clear()

    def lateness(self) -> dict[str, Any]:
        """Returns the histogram of lateness in milliseconds, one count per token (docs/wire.md)."""
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
        self._advance(self._clock())
        self._schedule()

    def _schedule(self) -> None:
        due = self.engine.next_token_at()
        if due is None:
            return
        due += self._token_overhead_s
        if self._timer is not None:
            if self._due <= due:  # an early wake-up is cheaper than moving the timer at each submission
                return
            self._timer.cancel()
        self._due = due
        # The clock is read again, because writing to a hundred sockets takes time. A wake-up that is too early finds no
        # event and sets the timer again; the added 0.3 ms makes that rare (uvloop's timers have a resolution of 1 ms).
        self._timer = self._call_later(max(0.0, due - self._clock()) + 0.0003, self._wake)

    def _advance(self, now: float) -> None:
        """Process the engine's events up to `now`: one flush per stream, however many tokens are due."""
        events = self.engine.advance(now)
        if not events:
            return
        jobs = self._jobs
        to_flush: dict[str, Job] = {}
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
                        to_flush[identity] = job
                        produced.append((at, job))
                continue
            job = jobs.get(event.id)
            if job is None:
                continue
            if isinstance(event, Admitted):
                self._begin_prefill(job, event)
            elif isinstance(event, FirstToken):  # the next `Tokens` event counts the token
                job.enter_phase(at, "decode")
                job.computed_tokens += job.prefill_tokens
                self._prefilled_tokens += job.prefill_tokens
                self._prefilling.pop(event.id, None)
                if job.first_at is None:
                    job.first_at = at
            elif isinstance(event, Preempted):
                job.preemptions += 1
                self._stop_prefill(job)
                job.enter_phase(at, "queue")
            elif isinstance(event, Finished):
                del jobs[event.id]
                job.finished_at = at
                job.phases.append(EnginePhase(job.phase, job.phase_from, at))
                to_flush[event.id] = job
        if not self._prefilling:
            self._prefilled_tokens = self.engine.prefill_tokens
        for job in to_flush.values():
            job.sink.flush()
            job.flushed_at = self._clock()
        for at, job in produced:
            self.lateness_ms.add(1000 * max(0.0, job.flushed_at - at - self._token_overhead_s))

    def _begin_prefill(self, job: Job, event: Admitted) -> None:
        job.enter_phase(event.at, "prefill")
        if job.admitted_at is None:
            job.admitted_at = event.at
            job.cached_tokens = event.cached_tokens
        job.prefill_tokens = job.request.prompt_tokens + job.produced - event.cached_tokens
        self._prefilling[job.request.id] = job

    def _stop_prefill(self, job: Job) -> None:
        """A prefill is aborted. Only the request admitted first can have made progress: as in vLLM, the budget of a
        step goes to the prompts in order, so at most one is partly computed."""
        if job.request.id not in self._prefilling:
            return
        if next(iter(self._prefilling)) == job.request.id:
            progress = min(job.prefill_tokens, max(0, self.engine.prefill_tokens - self._prefilled_tokens))
            job.computed_tokens += progress
            self._prefilled_tokens += progress
        del self._prefilling[job.request.id]
