"""From recordings to planned sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from loadprofiles.arrivals import Constant
from loadprofiles.draws import Draws
from loadprofiles.replay.agent import replay_agent
from loadprofiles.replay.formats import Trace, open_trace
from loadprofiles.replay.recorded import Sessions
from loadprofiles.replay.shaping import TraceOptions, calls_of, shorten
from loadprofiles.sessions.session import SessionPlan

__all__ = ["TraceOptions", "plan_replay", "plan_trace", "replay_sessions"]


def replay_sessions(path: Path | str, given: Mapping[str, object], seed: int, run: str) -> Iterator[SessionPlan]:
    """Sessions that replay the recordings of a folder or a file; reads them at once.

    `given`: options of `open_trace`. Raises `reports.shared.errors.UserError`.
    """
    return plan_trace(open_trace(path, given), seed, run)


def plan_trace(trace: Trace, seed: int, run: str) -> Iterator[SessionPlan]:
    """Sessions that replay a trace that was read."""
    return plan_replay(trace.recorded.sessions, trace.options, seed, run, trace.recorded.starts_s)


def plan_replay(
    recorded: Sessions, options: TraceOptions, seed: int, run: str, starts_s: Sequence[float] | None = None
) -> Iterator[SessionPlan]:
    """Sessions in the order of their start; without an end unless there is a `limit`.

    With a `rate` they are evenly spaced, without one as recorded (`starts_s`, divided by `speed`). Recordings that say
    when they began are played in that order; others in an order shuffled by the seed. When all have been played, they
    are again: shuffled ones in another order.
    """
    if options.rate is not None:
        starts = Constant(options.rate).curve().evenly()
    elif starts_s is not None:
        starts = _as_recorded(starts_s, options)
    else:
        raise ValueError("a replay needs a rate, or recorded starts")
    order: Sequence[int] = range(len(recorded))
    for index in count() if options.limit is None else range(options.limit):
        repeat, at = divmod(index, len(recorded))
        if at == 0 and starts_s is None:
            shuffled = list(range(len(recorded)))
            Draws(seed).of("replay").random(repeat).shuffle(shuffled)
            order = shuffled
        session = f"{run}-{index}"
        shape = shorten(recorded[order[at]], options.max_calls)
        # A repetition's blocks, and another load's, are texts of their own: else all of it would be cached.
        agent = replay_agent(shape, session, options, f"{run}/{repeat}")
        yield SessionPlan(index, session, None, next(starts), calls_of(shape.main), agent)


def _as_recorded(starts_s: Sequence[float], options: TraceOptions) -> Iterator[float]:
    """The recorded starts over and over, a mean gap between a repetition's last and the next one's first."""
    span_s = starts_s[-1]
    gap_s = span_s / (len(starts_s) - 1) if span_s > 0 else 1.0
    for repeat in count():
        before_s = repeat * (span_s + gap_s)
        for start_s in starts_s:
            yield (before_s + start_s) / options.speed
