"""What load an experiment will offer: its sessions and calls, played in virtual time against an assumed target. Pure.

The sessions are those of the run, drawn by the same seed; only how long a call takes is assumed: half a second to the
first token and 40 tokens a second, a 70B model on a target that is well. A slower target gets somewhat fewer calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from loadprofiles.conversation import sessions
from loadprofiles.profile import Profile
from loadprofiles.replay import open_trace, plan_trace
from loadprofiles.session import Agent, Call, CallResult, Done, Fork, Pause, SessionPlan

__all__ = ["ASSUMED_S_PER_TOKEN", "ASSUMED_TTFT_S", "LoadEstimate", "PlannedCall", "PlannedSession", "estimate_load"]

ASSUMED_TTFT_S: Final = 0.5
ASSUMED_S_PER_TOKEN: Final = 0.025

PLAYED: Final = 500
"""Sessions that are played in full; later ones have the calls of one of these, at times of their own."""

Window = tuple[float, float]
"""From, and up to but not including: seconds since the load's start."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call: when it is sent and when it would have ended."""

    sent_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session: when it starts, and its calls."""

    start_s: float
    tenant: str | None
    calls: tuple[PlannedCall, ...]


@dataclass(frozen=True, slots=True)
class LoadEstimate:
    """The sessions that start before the drain, and the calls they make before it, in the order of their start.

    `told`: what a user should know of the trace they are from.
    """

    sessions: tuple[PlannedSession, ...]
    told: tuple[str, ...] = ()

    def sessions_in(self, windows: Iterable[Window], tenant: str | None = None) -> int:
        """How many sessions start in any of the windows."""
        spans = list(windows)
        return sum(_within(session.start_s, spans) for session in self._of(tenant))

    def calls_in(self, windows: Iterable[Window], tenant: str | None = None) -> int:
        """How many calls are sent in any of the windows."""
        spans = list(windows)
        return sum(_within(call.sent_s, spans) for session in self._of(tenant) for call in session.calls)

    def sessions_with_calls_in(self, windows: Iterable[Window], tenant: str | None = None) -> int:
        """How many sessions send a call in any of the windows: what a bootstrap by session draws from."""
        spans = list(windows)
        return sum(any(_within(call.sent_s, spans) for call in session.calls) for session in self._of(tenant))

    def calls_open_at(self, at_s: float) -> int:
        """How many calls are under way at a time."""
        return sum(call.sent_s < at_s <= call.ended_s for session in self.sessions for call in session.calls)

    def _of(self, tenant: str | None) -> Iterator[PlannedSession]:
        return (session for session in self.sessions if tenant is None or session.tenant == tenant)


def estimate_load(profile: Profile, trace: dict[str, Any] | None, seed: int, load_s: float) -> LoadEstimate:
    """Plays the load's plan for `load_s` seconds. Raises `reports.errors.InvalidFile` for bad traces."""
    plans: Iterator[SessionPlan]
    told: tuple[str, ...] = ()
    if trace is None:
        plans = sessions(profile, seed, f"s{seed}")
    else:
        options = {key: value for key, value in trace.items() if key != "dir"}
        read = open_trace(Path(trace["dir"]).expanduser(), options)
        plans, told = plan_trace(read, seed, f"s{seed}"), tuple(read.told())
    shapes: list[list[PlannedCall]] = []
    planned = []
    for plan in takewhile(lambda plan: plan.start_at_s < load_s, plans):
        if len(shapes) < PLAYED:
            shapes.append(sorted(_play(plan.agent, 0.0)[0], key=lambda call: call.sent_s))
        start_s = plan.start_at_s
        calls = (
            PlannedCall(start_s + call.sent_s, start_s + call.ended_s) for call in shapes[plan.index % len(shapes)]
        )
        kept = tuple(takewhile(lambda call: call.sent_s < load_s, calls))
        planned.append(PlannedSession(start_s, plan.tenant, kept))
    return LoadEstimate(tuple(planned), told)


def _play(agent: Agent, now: float) -> tuple[list[PlannedCall], float]:
    """The calls of an agent and of those it forks, from `now` on; and when it ends."""
    calls: list[PlannedCall] = []
    step = agent.next(now, None)
    while not isinstance(step, Done):
        result = None
        if isinstance(step, Call):
            ended_s = now + ASSUMED_TTFT_S + step.max_tokens * ASSUMED_S_PER_TOKEN
            calls.append(PlannedCall(now, ended_s))
            now = ended_s
            result = _answer(step)
        elif isinstance(step, Pause):
            now += step.seconds
        elif isinstance(step, Fork):
            played = [_play(child, now) for child in step.agents]
            for theirs, _ in played:
                calls.extend(theirs)
            now = max((ended_s for _, ended_s in played), default=now)
        step = agent.next(now, result)
    return calls, now


def _answer(call: Call) -> CallResult:
    text = "text" * call.max_tokens
    if call.tools:
        return CallResult(True, "", f'{{"input":"{text}"}}', "ok", output_tokens=call.max_tokens)
    return CallResult(True, text, None, "ok", output_tokens=call.max_tokens)


def _within(at_s: float, windows: list[Window]) -> bool:
    return any(begin <= at_s < end for begin, end in windows)
