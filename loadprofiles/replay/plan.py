"""From recordings to planned sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from loadprofiles.arrivals import Constant
from loadprofiles.draws import Draws
from loadprofiles.replay.agent import replay_agent
from loadprofiles.replay.claude_code import read_sessions
from loadprofiles.replay.recorded import RecordedSession
from loadprofiles.replay.shaping import TraceOptions, calls_of, shorten
from loadprofiles.session import SessionPlan

__all__ = ["TraceOptions", "plan_replay", "replay_sessions"]


def replay_sessions(folder: Path | str, options: TraceOptions, seed: int, run: str) -> Iterator[SessionPlan]:
    """Sessions that replay the recordings of a folder; reads them at once. Raises `reports.errors.InvalidFile`."""
    return plan_replay(read_sessions(Path(folder), skip_bad=options.skip_bad).sessions, options, seed, run)


def plan_replay(
    recorded: Sequence[RecordedSession], options: TraceOptions, seed: int, run: str
) -> Iterator[SessionPlan]:
    """Sessions in the order of their start, evenly spaced at `rate`; without an end unless there is a `limit`.

    Recordings are played in an order shuffled by the seed, and again in another one when all have been played.
    """
    sessions = [shorten(session, options.max_calls) for session in recorded]
    planned = [calls_of(session.main) for session in sessions]
    starts = Constant(options.rate).curve().evenly()
    order: list[int] = []
    for index in count() if options.limit is None else range(options.limit):
        at = index % len(sessions)
        if at == 0:
            order = list(range(len(sessions)))
            Draws(seed).of("replay").random(index // len(sessions)).shuffle(order)
        which = order[at]
        session = f"{run}-{index}"
        agent = replay_agent(sessions[which], session, options)
        yield SessionPlan(index, session, None, next(starts), planned[which], agent)
