"""A player on a scripted server, agents that play listed steps, and the spans that they write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gevent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from loadprofiles.client.client import Client
from loadprofiles.client.records import ClientOptions
from loadprofiles.player.counters import Counters
from loadprofiles.player.load_config import Slo
from loadprofiles.player.player import Player
from loadprofiles.sessions.session import Call, CallResult, Done, Message, Pause, SessionPlan, Step
from reports.shared.tokens import Marker, marker_text
from tests.support.scripted_server import ScriptedServer

TOKENS = 8


class ListedAgent:
    """Plays a list of steps; ends when a call has failed. `results`: the results it got."""

    def __init__(self, agent: str, steps: Sequence[Step]) -> None:
        self.id = agent
        self.steps = list(steps)
        self.results: list[CallResult | None] = []

    def next(self, now: float, last: CallResult | None) -> Step:
        self.results.append(last)
        if last is not None and not last.ok:
            return Done(False)
        return self.steps.pop(0) if self.steps else Done(True)


def call(session: str, turn: int, agent: str = "main") -> Call:
    marker = Marker(session, agent, turn)
    return Call(agent, turn, (Message("user", "hi " + marker_text(marker)),), TOKENS, False, marker, True)


def plan(index: int, at_s: float, *steps: Step, calls: int = 1) -> SessionPlan:
    return SessionPlan(index, f"r-{index}", "acme", at_s, calls, ListedAgent("main", steps), "batch")


def endless() -> Iterator[SessionPlan]:
    for i in range(1_000_000):
        yield plan(i, 0.02 * i, call(f"r-{i}", 0), Pause(0.2, "tool", "bash"), call(f"r-{i}", 1), calls=2)


class Rig:
    """A player on a scripted server."""

    def __init__(self, script: Any, plans: Iterator[SessionPlan], *, retries: str = "none", **options: Any) -> None:
        holder: list[ScriptedServer] = []
        scripts = script(holder)
        self.server = ScriptedServer(*(scripts if isinstance(scripts, list) else [scripts]))
        holder.append(self.server)
        client = Client(ClientOptions(self.server.url, "m", retries=retries, provable=True))
        self.counters = Counters(Slo(ttft_s=2.0, tpot_s=0.1))
        given: dict[str, Any] = {"profile": "test", "agent_name": "tester", "seed": 7, "horizon_s": 60.0, **options}
        self.player = Player(plans, client, self.counters, **given)

    def __enter__(self) -> Rig:
        self.player.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.player.stop()
        self.server.__exit__()

    def until(self, condition: Any) -> None:
        with gevent.Timeout(5):
            while not condition():
                gevent.sleep(0.005)


def named(spans: InMemorySpanExporter, name: str) -> list[Any]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def attrs(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent_id(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def duration_s(span: ReadableSpan) -> float:
    assert span.end_time is not None
    assert span.start_time is not None
    return (span.end_time - span.start_time) / 1e9
