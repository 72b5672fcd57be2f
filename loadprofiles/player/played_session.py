"""Plays one session: its agents step by step, its spans, its outcome."""

from __future__ import annotations

import logging

import gevent
from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from loadprofiles.client import call_spans
from loadprofiles.client.clock import now_s, unix_ns
from loadprofiles.client.records import AgentContext
from loadprofiles.player.load import Load
from loadprofiles.sessions.session import Agent, Call, CallResult, Fork, Pause, SessionPlan
from reports.shared import attributes as names
from reports.shared.attributes import Outcome, SessionOutcome

__all__ = ["PlayedSession"]

_log = logging.getLogger(__name__)


class PlayedSession:
    """Plays a `SessionPlan` as part of a load. `play` is the body of its greenlet.

    If the client's policy repeats failed calls (`retries.CallRepeater`), each repeat is a new logical call in a new
    turn, with the same marker. The agent gets the result of the last one only.
    """

    def __init__(self, load: Load, plan: SessionPlan) -> None:
        self._load = load
        self._plan = plan
        self._calls = 0
        self._lost_because: Outcome | None = None
        self._waiting: dict[str, AgentContext] = {}
        """Contexts of the agents that have a call in flight, by agent id."""
        self._silent_s = 0.0

    def play(self) -> None:
        """Plays the session to its end. If its greenlet is killed first, the session's outcome is `unfinished`."""
        started_s = now_s()
        due_s = started_s - self._load.load_time_s(started_s) + self._plan.start_at_s
        self._load.session_started(self._plan, started_s - due_s)
        outcome = SessionOutcome.UNFINISHED
        try:
            succeeded = self._play_agent(self._plan.agent, due_s)
            outcome = SessionOutcome.SUCCEEDED if succeeded else SessionOutcome.LOST
        except Exception:
            _log.exception("session %s: error in the player; the session counts as lost", self._plan.id)
            outcome = SessionOutcome.LOST
        finally:
            self._load.session_ended(outcome)
            self._write(outcome, started_s, started_s - due_s)

    def record_silence(self) -> None:
        """Records the longest time since the last byte among the session's calls in flight (0 if there are none).

        Called before the session is ended from outside.
        """
        at_s = now_s()
        self._silent_s = max((at_s - context.last_byte_s for context in self._waiting.values()), default=0.0)

    def _play_agent(self, agent: Agent, due_s: float) -> bool:
        """Plays one agent to its end; returns whether it succeeded. `due_s`: when its first step should begin."""
        plan, load = self._plan, self._load
        context = AgentContext(plan.id, agent.id, plan.tenant, load.seed, plan.tier)
        turn: Span | None = None
        last: CallResult | None = None
        repeats = 0
        try:
            step = agent.next(load.load_time_s(now_s()), None)
            while True:
                last = None
                if isinstance(step, Call):
                    _end_turn(turn)
                    turn = call_spans.start_turn(load.agent_name, step, context, now_s())
                    last, due_s = self._make_call(step, context, due_s, turn)
                    repeat_s = load.client.repeat_after_s(repeats) if not last.ok else None
                    if repeat_s is not None:
                        repeats += 1
                        due_s += repeat_s
                        gevent.sleep(repeat_s)
                        continue
                    repeats = 0
                    if not last.ok and self._lost_because is None:
                        self._lost_because = Outcome(last.outcome)
                elif isinstance(step, Pause):
                    due_s += step.seconds
                    if step.why == "person":
                        _end_turn(turn)
                        turn = None
                    self._pause(step, due_s, turn)
                    if step.why == "tool":
                        _end_turn(turn)
                        turn = None
                elif isinstance(step, Fork):
                    self._fork(step, due_s)
                    due_s = now_s()
                else:
                    return step.succeeded
                step = agent.next(load.load_time_s(now_s()), last)
        finally:
            _end_turn(turn)

    def _make_call(
        self, call: Call, context: AgentContext, due_s: float, turn: Span | None
    ) -> tuple[CallResult, float]:
        load = self._load
        self._calls += 1
        load.call_sent()
        self._waiting[context.agent] = context
        try:
            record = load.client.call(call, context, due_s, turn)
        finally:
            del self._waiting[context.agent]
        load.call_ended(record)
        return record.result(), record.ended_s

    def _pause(self, pause: Pause, until_s: float, turn: Span | None) -> None:
        span = (
            call_spans.start_tool(turn, pause.tool or "tool", now_s())
            if pause.why == "tool" and turn is not None
            else None
        )
        try:
            gevent.sleep(max(until_s - now_s(), 0.0))
        finally:
            if span is not None:
                span.end(unix_ns(now_s()))

    def _fork(self, fork: Fork, due_s: float) -> None:
        """Plays sub-agents concurrently. Each agent keeps its own result."""
        subs = [gevent.spawn(self._play_agent, agent, due_s) for agent in fork.agents]
        try:
            gevent.joinall(subs)
            for sub in subs:
                sub.get()
        finally:
            gevent.killall(subs)

    def _write(self, outcome: SessionOutcome, started_s: float, lateness_s: float) -> None:
        plan = self._plan
        given: dict[str, AttributeValue] = {
            names.CONVERSATION_ID: plan.id,
            names.SESSION_PLANNED_AT: plan.start_at_s,
            names.SESSION_LATENESS: lateness_s,
            names.SESSION_OUTCOME: outcome,
            names.SESSION_CALLS: self._calls,
            names.SESSION_CALLS_PLANNED: plan.calls_planned,
            names.SESSION_PROFILE: self._load.profile,
        }
        if plan.tenant is not None:
            given[names.TENANT] = plan.tenant
        if plan.tier:
            given[names.TIER] = plan.tier
        if plan.fault:
            given[names.FAULT_ID] = plan.fault
        if outcome is SessionOutcome.LOST:
            given[names.SESSION_LOST_BECAUSE] = self._lost_because or "_OTHER"
        if outcome is SessionOutcome.UNFINISHED:
            given[names.SESSION_LAST_BYTE_AGE] = self._silent_s
        call_spans.write_session(given, started_s, now_s())


def _end_turn(turn: Span | None) -> None:
    if turn is not None:
        turn.end(unix_ns(now_s()))
