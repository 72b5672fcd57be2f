"""Planned sessions from recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from loadprofiles.arrivals import Constant
from loadprofiles.arrivals.trace import scaled_times
from loadprofiles.draws import Draws
from loadprofiles.replay.agent import replay_agent
from loadprofiles.replay.formats import Trace, open_trace
from loadprofiles.replay.recorded import Sessions
from loadprofiles.replay.shaping import TraceOptions, count_calls, shorten
from loadprofiles.sessions.session import SessionPlan

__all__ = ["TraceOptions", "plan_replay", "plan_trace", "replay_sessions"]


def replay_sessions(path: Path | str, given: Mapping[str, object], seed: int, run: str) -> Iterator[SessionPlan]:
    """Reads the recordings of a folder or a file, and returns sessions that replay them.

    `given`: options of `open_trace`. Raises `reports.shared.errors.UserError`.
    """
    return plan_trace(open_trace(path, given), seed, run)


def plan_trace(trace: Trace, seed: int, run: str, scale: float = 1.0) -> Iterator[SessionPlan]:
    """Sessions that replay a trace, at `scale` times its rate."""
    return plan_replay(trace.recorded.sessions, trace.options, seed, run, trace.recorded.starts_s, scale)


def plan_replay(
    recorded: Sessions,
    options: TraceOptions,
    seed: int,
    run: str,
    starts_s: Sequence[float] | None = None,
    scale: float = 1.0,
) -> Iterator[SessionPlan]:
    """Sessions in the order of their start; endless unless there is a `limit`.

    `scale` multiplies the rate; of recorded starts, some are left out or given several times.

    With a `rate` they are evenly spaced; without one they start as recorded (`starts_s`, divided by `speed`). With
    recorded starts, recordings are played in that order; otherwise in an order shuffled by the seed. After the last
    recording they repeat; shuffled ones in a different order.
    """
    if options.rate is not None:
        starts = Constant(options.rate * scale).curve().evenly_spaced()
    elif starts_s is not None:
        starts = scaled_times(_as_recorded(starts_s, options), scale)
    else:
        raise ValueError("a replay needs a rate or recorded starts")
    order: Sequence[int] = range(len(recorded))
    for index in count() if options.limit is None else range(options.limit):
        repeat, at = divmod(index, len(recorded))
        if at == 0 and starts_s is None:
            shuffled = list(range(len(recorded)))
            Draws(seed).of("replay").random(repeat).shuffle(shuffled)
            order = shuffled
        session = f"{run}-{index}"
        shape = shorten(recorded[order[at]], options.max_calls)
        # Each repetition and each load has its own texts for the blocks; otherwise all of them would be cached.
        agent = replay_agent(shape, session, options, f"{run}/{repeat}")
        yield SessionPlan(index, session, None, next(starts), count_calls(shape.main), agent)


def _as_recorded(starts_s: Sequence[float], options: TraceOptions) -> Iterator[float]:
    """Repeats the recorded starts, with the mean gap between the last start and the first of the next repetition."""
    span_s = starts_s[-1]
    gap_s = span_s / (len(starts_s) - 1) if span_s > 0 else 1.0
    for repeat in count():
        before_s = repeat * (span_s + gap_s)
        for start_s in starts_s:
            yield (before_s + start_s) / options.speed
