"""The load that an experiment will offer: its sessions and calls, in virtual time against an assumed target. Pure.

The sessions are those of the run, drawn by the same seed. Only the duration of a call is assumed: 0.5 s to the first
token and 40 tokens per second, as of a 70B model on a healthy target. A slower target gets somewhat fewer calls. The
sessions that a surge adds are assumed to have the calls of the load's own sessions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from loadprofiles.demand import Order, demand_of
from loadprofiles.player.load_config import LoadConfig
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.session import Agent, Call, CallResult, Done, Fork, Pause, SessionPlan
from reports.shared.home import expanded

__all__ = [
    "ASSUMED_S_PER_TOKEN",
    "ASSUMED_TTFT_S",
    "LoadEstimate",
    "PlannedCall",
    "PlannedDemand",
    "PlannedSession",
    "estimate_load",
]

ASSUMED_TTFT_S: Final = 0.5
ASSUMED_S_PER_TOKEN: Final = 0.025

PLAYED: Final = 500
"""Sessions that are played in full; each later one repeats the calls of one of these at its own times."""

Window = tuple[float, float]
"""[begin, end), seconds since the load's start."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call: when it is sent, and when it is assumed to end."""

    sent_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class PlannedDemand:
    """A fault of the load: its order, and its begin and end, seconds since the load's start."""

    order: Order
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session: its start and its calls. `fault`: id of the fault that adds it, "" for none."""

    start_s: float
    tenant: str | None
    calls: tuple[PlannedCall, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class LoadEstimate:
    """The sessions that start before the drain, and their calls before it, in order of start.

    `notes`: what the reader of the trace reports, for the user.
    """

    sessions: tuple[PlannedSession, ...]
    notes: tuple[str, ...] = ()

    def sessions_in(self, windows: Iterable[Window], tenant: str | None = None) -> int:
        """How many sessions start in any of the windows."""
        spans = list(windows)
        return sum(_within(session.start_s, spans) for session in self._of(tenant))

    def calls_in(self, windows: Iterable[Window], tenant: str | None = None) -> int:
        """How many calls are sent in any of the windows."""
        spans = list(windows)
        return sum(_within(call.sent_s, spans) for session in self._of(tenant) for call in session.calls)

    def calls_by_session(self, windows: Iterable[Window], tenants: Collection[str] | None = None) -> list[int]:
        """The calls that each session sends in any of the windows, of the sessions that send one.

        `tenants`: only those of these tenants.
        """
        spans = list(windows)
        of = [session for session in self.sessions if tenants is None or session.tenant in tenants]
        counts = (sum(_within(call.sent_s, spans) for call in session.calls) for session in of)
        return [count for count in counts if count]

    def calls_of_fault(self, fault_id: str) -> int:
        """How many calls the sessions make that a fault adds."""
        return sum(len(session.calls) for session in self.sessions if session.fault == fault_id)

    def calls_open_at(self, at_s: float, tenant: str | None = None) -> int:
        """How many calls are in flight at a time."""
        return sum(call.sent_s < at_s <= call.ended_s for session in self._of(tenant) for call in session.calls)

    def _of(self, tenant: str | None) -> Iterator[PlannedSession]:
        return (session for session in self.sessions if tenant is None or session.tenant == tenant)


def estimate_load(
    profile: Profile,
    trace: dict[str, Any] | None,
    seed: int,
    load_s: float,
    demands: Sequence[PlannedDemand] = (),
    scale: float = 1.0,
) -> LoadEstimate:
    """Play the load's plan for `load_s` seconds of virtual time, with the sessions that faults of the load add.

    `scale`: multiplies the rate of arrivals. Raises `reports.shared.errors.InvalidFile` for bad traces.
    """
    folder = None if trace is None else {**trace, "dir": str(expanded(trace["dir"]))}
    load = LoadConfig("", "", profile, f"s{seed}", trace=folder, seed=seed, scale=scale)
    notes = tuple(load.recordings().summary_lines()) if trace is not None else ()
    shapes: list[list[PlannedCall]] = []
    planned = []
    for plan in _before(load_s, load.plans()):
        if len(shapes) < PLAYED:
            shapes.append(sorted(_play(plan.agent, 0.0)[0], key=lambda call: call.sent_s))
        planned.append(_planned(plan, shapes, load_s))
    for ordered in demands if planned else ():
        demand = demand_of(ordered.order)
        extra = _before(ordered.until_s, load.extra_plans(demand, ordered.from_s))
        planned.extend(_planned(plan, shapes, load_s) for plan in extra)
    return LoadEstimate(tuple(sorted(planned, key=lambda session: session.start_s)), notes)


def _before(until_s: float, plans: Iterator[SessionPlan]) -> Iterator[SessionPlan]:
    return takewhile(lambda plan: plan.start_at_s < until_s, plans)


def _planned(plan: SessionPlan, shapes: list[list[PlannedCall]], load_s: float) -> PlannedSession:
    start_s = plan.start_at_s
    calls = (PlannedCall(start_s + call.sent_s, start_s + call.ended_s) for call in shapes[plan.index % len(shapes)])
    kept = tuple(takewhile(lambda call: call.sent_s < load_s, calls))
    return PlannedSession(start_s, plan.tenant, kept, plan.fault)


def _play(agent: Agent, now: float) -> tuple[list[PlannedCall], float]:
    """The calls of an agent and of its forks, from `now` on; and its end."""
    calls: list[PlannedCall] = []
    step = agent.next(now, None)
    while not isinstance(step, Done):
        result = None
        if isinstance(step, Call):
            ended_s = now + ASSUMED_TTFT_S + step.max_tokens * ASSUMED_S_PER_TOKEN
            calls.append(PlannedCall(now, ended_s))
            now = ended_s
            result = _assumed_result(step)
        elif isinstance(step, Pause):
            now += step.seconds
        elif isinstance(step, Fork):
            played = [_play(child, now) for child in step.agents]
            for theirs, _ in played:
                calls.extend(theirs)
            now = max((ended_s for _, ended_s in played), default=now)
        step = agent.next(now, result)
    return calls, now


def _assumed_result(call: Call) -> CallResult:
    text = "text" * call.max_tokens
    if call.tools:
        return CallResult(True, "", (f'{{"input":"{text}"}}',), "ok", output_tokens=call.max_tokens)
    return CallResult(True, text, (), "ok", output_tokens=call.max_tokens)


def _within(at_s: float, windows: list[Window]) -> bool:
    return any(begin <= at_s < end for begin, end in windows)
