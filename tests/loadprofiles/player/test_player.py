"""The player: open arrivals, drain and stop, forks, spans, counters. gevent runs here without its monkey patch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import gevent
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from loadprofiles.client.client import Client, call_spans
from loadprofiles.client.records import ClientOptions
from loadprofiles.player import counters
from loadprofiles.player.counters import Counters
from loadprofiles.player.load_config import Slo
from loadprofiles.player.player import Player
from loadprofiles.sessions.session import Call, CallResult, Done, Fork, Message, Pause, SessionPlan, Step
from reports.record.chunklog import decode
from reports.shared import attributes as names
from reports.shared.attributes import SessionOutcome
from reports.shared.tokens import Marker, marker_text
from tests.support.scripted_server import ScriptedServer, prove, whole

TOKENS = 8


class ListedAgent:
    """Plays a list of steps; ends where a call has failed."""

    def __init__(self, agent: str, steps: Sequence[Step]) -> None:
        self.id = agent
        self.steps = list(steps)
        self.heard: list[CallResult | None] = []

    def next(self, now: float, last: CallResult | None) -> Step:
        self.heard.append(last)
        if last is not None and not last.ok:
            return Done(False)
        return self.steps.pop(0) if self.steps else Done(True)


def call(session: str, turn: int, agent: str = "main") -> Call:
    marker = Marker(session, agent, turn)
    return Call(agent, turn, (Message("user", "hi " + marker_text(marker)),), TOKENS, False, marker, True)


def plan(index: int, at_s: float, *steps: Step, calls: int = 1) -> SessionPlan:
    return SessionPlan(index, f"r-{index}", "acme", at_s, calls, ListedAgent("main", steps), "batch")


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


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(call_spans, "_tracer", provider.get_tracer("brownout.loadprofiles"))
    yield exporter
    provider.shutdown()


def test_sessions_start_at_their_times_and_are_counted() -> None:
    plans = [plan(i, 0.05 * i, call(f"r-{i}", 0)) for i in range(6)]
    with Rig(lambda server: prove(server), iter(plans)) as rig:
        assert rig.player.wait(5)
        found = rig.counters.snapshot(rig.player)
    starts = [request.at_s for request in rig.server.requests]
    assert 0.15 <= starts[-1] - starts[0] < 2
    assert (found["arrivals_planned"], found["arrivals"]) == (6, 6)
    assert found["sessions"] == {"running": 0, "succeeded": 6, "lost": 0, "unfinished": 0}
    assert found["calls"] == {"sent": 6, "ok": 6, "failed": 0}
    assert (found["good_calls"], found["output_tokens"], found["done"]) == (6, 48, True)
    assert isinstance(found["ttft_ms_recent"], float)
    assert isinstance(found["load_started"], int)


def test_arrivals_do_not_wait_for_slow_sessions() -> None:
    plans = [plan(i, 0.02 * i, call(f"r-{i}", 0)) for i in range(10)]
    with Rig(lambda server: prove(server, gap_s=0.1), iter(plans)) as rig:
        rig.until(lambda: rig.counters.arrivals == 10)
        assert rig.counters.running >= 5


def test_a_scheduler_that_was_held_up_notes_how_late_each_session_is(spans: InMemorySpanExporter) -> None:
    plans = [plan(0, 0.0, call("r-0", 0)), plan(1, 0.05, call("r-1", 0))]
    with Rig(lambda server: prove(server), iter(plans)) as rig:
        rig.until(lambda: rig.counters.arrivals == 1)
        time.sleep(0.4)  # the whole process is busy: nothing else runs
        assert rig.counters.snapshot(rig.player)["arrivals_planned"] == 2
        assert rig.player.wait(5)
    assert rig.counters.late_arrivals == 1
    late = [attrs(span)[names.SESSION_LATENESS] for span in named(spans, names.SPAN_SESSION)]
    assert max(late) >= 0.3
    lateness = [attrs(span)[names.CALL_SCHEDULED_LATENESS] for span in named(spans, "chat m")]
    assert max(lateness) >= 0.3


def endless() -> Iterator[SessionPlan]:
    for i in range(1_000_000):
        yield plan(i, 0.02 * i, call(f"r-{i}", 0), Pause(0.2, "tool", "bash"), call(f"r-{i}", 1), calls=2)


def test_drain_starts_nothing_more_and_lets_sessions_end() -> None:
    with Rig(lambda server: prove(server), endless()) as rig:
        rig.until(lambda: rig.counters.arrivals >= 5)
        rig.player.drain()
        planned = rig.player.arrivals_due()
        assert not rig.player.done
        assert rig.player.wait(5)
        assert rig.counters.arrivals <= planned <= rig.counters.arrivals + 1
        assert rig.counters.sessions[SessionOutcome.SUCCEEDED] == rig.counters.arrivals
        assert rig.player.arrivals_due() == planned


def test_sessions_that_come_due_while_it_holds_are_passed_over_and_not_planned() -> None:
    with Rig(lambda server: prove(server), endless()) as rig:
        rig.until(lambda: rig.counters.arrivals >= 3)
        rig.player.hold(True)
        before = rig.counters.arrivals
        rig.until(lambda: rig.counters.held >= 5)
        assert rig.counters.arrivals <= before + 1
        rig.player.hold(False)
        rig.until(lambda: rig.counters.arrivals >= before + 3)
        found = rig.counters.snapshot(rig.player)
        assert found["held"] == rig.counters.held
        planned = found["arrivals_planned"]
        assert isinstance(planned, int)
        assert rig.counters.arrivals <= planned <= rig.counters.arrivals + 1


def test_a_call_that_broke_is_not_tried_again_while_it_holds() -> None:
    plans = [plan(0, 0.0, call("r-0", 0))]
    with Rig(lambda _: whole(503), iter(plans), retries="aggressive") as rig:
        rig.until(lambda: len(rig.server.requests) >= 3)
        rig.player.hold(True)
        assert rig.player.wait(5)
        assert rig.counters.sessions[SessionOutcome.LOST] == 1


def test_the_horizon_bounds_arrivals() -> None:
    with Rig(lambda server: prove(server), endless(), horizon_s=0.05) as rig:
        assert rig.player.wait(5)
        assert rig.counters.arrivals == 3


def test_stop_makes_running_sessions_unfinished_and_says_how_long_each_was_silent(spans: InMemorySpanExporter) -> None:
    thinking = plan(1, 0.0, Pause(60, "person"), call("r-1", 0))
    plans = [plan(0, 0.0, call("r-0", 0)), thinking]
    with Rig(lambda server: prove(server, end="hang", upto=4), iter(plans)) as rig:
        rig.until(lambda: rig.server.requests and rig.counters.running == 2)
        gevent.sleep(0.2)
        rig.player.stop()
        assert rig.counters.sessions == {"succeeded": 0, "lost": 0, "unfinished": 2}
        assert rig.player.done
    ended = {attrs(span)[names.CONVERSATION_ID]: attrs(span) for span in named(spans, names.SPAN_SESSION)}
    assert ended["r-0"][names.SESSION_OUTCOME] == "unfinished"
    assert ended["r-0"][names.SESSION_LAST_BYTE_AGE] >= 0.1
    assert ended["r-1"][names.SESSION_LAST_BYTE_AGE] == 0.0
    (chat,) = named(spans, "chat m")
    assert attrs(chat)[names.OUTCOME] == "abandoned"
    assert attrs(named(spans, "POST")[0])[names.OUTCOME] == "abandoned"


def test_forks_play_side_by_side_and_all_are_waited_for() -> None:
    subs = tuple(ListedAgent(f"sub-{i}", [call("r-0", 0, f"sub-{i}")]) for i in range(1, 4))
    main = plan(0, 0.0, call("r-0", 0), Fork(subs), call("r-0", 1), calls=5)
    with Rig(lambda server: prove(server, gap_s=0.02), iter([main])) as rig:
        assert rig.player.wait(5)
    times = [request.at_s for request in rig.server.requests]
    assert len(times) == 5
    assert max(times[1:4]) - min(times[1:4]) < 0.2  # an answer takes longer than that
    assert times[4] - max(times[1:4]) >= 0.2
    assert rig.counters.sessions[SessionOutcome.SUCCEEDED] == 1
    assert [result is None for result in main.agent.heard] == [True, False, True, False]  # type: ignore[attr-defined]


def test_a_lost_session_names_the_outcome_that_lost_it(spans: InMemorySpanExporter) -> None:
    with Rig(lambda server: whole(503), iter([plan(0, 0.0, call("r-0", 0), call("r-0", 1), calls=2)])) as rig:
        assert rig.player.wait(5)
    assert rig.counters.sessions[SessionOutcome.LOST] == 1
    (session,) = named(spans, names.SPAN_SESSION)
    found = attrs(session)
    assert (found[names.SESSION_OUTCOME], found[names.SESSION_LOST_BECAUSE]) == ("lost", "http_5xx")
    assert (found[names.SESSION_CALLS], found[names.SESSION_CALLS_PLANNED]) == (1, 2)
    (chat,) = named(spans, "chat m")
    assert chat.status.status_code is StatusCode.ERROR
    assert attrs(chat)[names.ERROR_TYPE] == "http_5xx"
    assert names.CALL_TTFT not in attrs(chat)


def test_an_attempt_says_which_pause_it_was_asked_for(spans: InMemorySpanExporter) -> None:
    told = whole(503, headers=[("Retry-After", "7")])
    with Rig(lambda server: told, iter([plan(0, 0.0, call("r-0", 0), calls=1)])) as rig:
        assert rig.player.wait(5)
    (attempt,) = named(spans, names.SPAN_ATTEMPT)
    assert (attrs(attempt)[names.HTTP_STATUS], attrs(attempt)[names.RETRY_AFTER]) == (503, 7.0)


def test_an_agent_loop_makes_a_broken_call_again_as_a_call_of_its_own(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadprofiles.retries.agent_loop._PAUSE_S", 0.01)
    main = plan(0, 0.0, call("r-0", 0), call("r-0", 1), calls=2)
    scripts = lambda server: [whole(400), prove(server, upto=5, end="fin"), prove(server)]  # noqa: E731
    with Rig(scripts, iter([main]), retries="agent-loop") as rig:
        assert rig.player.wait(5)
        assert (rig.counters.calls_sent, rig.counters.calls_ok, rig.counters.calls_failed) == (4, 2, 2)
    assert rig.counters.sessions[SessionOutcome.SUCCEEDED] == 1
    assert [result and result.ok for result in main.agent.heard] == [None, True, True]  # type: ignore[attr-defined]
    chats = [(attrs(span)[names.TURN], attrs(span)[names.OUTCOME]) for span in named(spans, "chat m")]
    assert chats == [(0, "http_4xx"), (0, "truncated"), (0, "ok"), (1, "ok")]
    assert len(named(spans, "invoke_agent tester")) == 4
    (session,) = named(spans, names.SPAN_SESSION)
    assert (attrs(session)[names.SESSION_CALLS], attrs(session)[names.SESSION_CALLS_PLANNED]) == (4, 2)
    assert names.SESSION_LOST_BECAUSE not in attrs(session)


def test_an_agent_loop_gives_up_after_three_repeats(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadprofiles.retries.agent_loop._PAUSE_S", 0.01)
    with Rig(lambda server: whole(400), iter([plan(0, 0.0, call("r-0", 0))]), retries="agent-loop") as rig:
        assert rig.player.wait(5)
    assert len(rig.server.requests) == 4
    (session,) = named(spans, names.SPAN_SESSION)
    assert (attrs(session)[names.SESSION_OUTCOME], attrs(session)[names.SESSION_LOST_BECAUSE]) == ("lost", "http_4xx")


def test_an_aggressive_client_tries_until_the_load_ends(spans: InMemorySpanExporter) -> None:
    with Rig(lambda server: whole(503), iter([plan(0, 0.0, call("r-0", 0))]), retries="aggressive") as rig:
        rig.until(lambda: len(rig.server.requests) >= 6)
        rig.player.drain()
        assert not rig.player.done
        rig.player.stop()
        assert rig.player.done
    assert rig.counters.sessions == {"succeeded": 0, "lost": 0, "unfinished": 1}
    (chat,) = named(spans, "chat m")
    assert attrs(chat)[names.OUTCOME] == "abandoned"


def test_an_agent_that_breaks_loses_its_session_only() -> None:
    class Broken(ListedAgent):
        def next(self, now: float, last: CallResult | None) -> Step:
            raise RuntimeError("a bug")

    broken = SessionPlan(0, "r-0", None, 0.0, 1, Broken("main", []))
    with Rig(lambda server: prove(server), iter([broken, plan(1, 0.0, call("r-1", 0))])) as rig:
        assert rig.player.wait(5)
    assert rig.counters.sessions == {"succeeded": 1, "lost": 1, "unfinished": 0}


def test_a_turn_is_a_trace_of_call_attempts_and_tool(spans: InMemorySpanExporter) -> None:
    steps = (call("r-0", 0), Pause(0.05, "tool", "bash"), call("r-0", 1))
    with Rig(lambda server: prove(server, gap_s=0.01), iter([plan(0, 0.0, *steps, calls=2)])) as rig:
        assert rig.player.wait(5)
    turns = named(spans, "invoke_agent tester")
    assert len(turns) == 2
    assert len({span.context.trace_id for span in turns}) == 2
    first = [span for span in spans.get_finished_spans() if span.context.trace_id == turns[0].context.trace_id]
    assert sorted(span.name for span in first) == ["POST", "chat m", "execute_tool bash", "invoke_agent tester"]
    by_name = {span.name: span for span in first}
    turn, chat, attempt, tool = (by_name[n] for n in ("invoke_agent tester", "chat m", "POST", "execute_tool bash"))
    assert turn.parent is None
    assert parent_id(chat) == parent_id(tool) == turn.context.span_id
    assert parent_id(attempt) == chat.context.span_id
    head = rig.server.requests[0].head
    assert f"traceparent: 00-{attempt.context.trace_id:032x}-{attempt.context.span_id:016x}-" in head

    found = attrs(chat)
    assert (found[names.OUTCOME], found[names.CALL_ATTEMPTS], found[names.CALL_PROVABLE]) == ("ok", 1, True)
    assert (found[names.TOKENS_EXPECTED], found[names.TOKENS_RECEIVED], found[names.TERMINALS]) == (8, 8, 1)
    harm = {names.TOKENS_LOST, names.TOKENS_DUPLICATED, names.TOKENS_SPLICED, names.SILENTLY_TRUNCATED}
    assert not harm & set(found)
    assert (found[names.CONVERSATION_ID], found[names.TURN]) == ("r-0", 0)
    (session,) = named(spans, "brownout.session")
    for span in (turn, chat, session):
        assert (attrs(span)[names.TENANT], attrs(span)[names.TIER]) == ("acme", "batch")
    assert "Authorization: Bearer sk-brownout-acme.batch" in head.splitlines()
    assert found[names.CALL_TTFT] == found[names.RESPONSE_TTFC] > 0
    chunks = decode(attrs(attempt)[names.CHUNKS])
    assert sum(chunk.tokens for chunk in chunks) == 8
    assert chunks[0].at_s == pytest.approx(found[names.CALL_TTFT], abs=1e-4)
    assert duration_s(chat) == pytest.approx(found[names.CALL_E2E], abs=1e-4)
    assert duration_s(tool) == pytest.approx(0.05, abs=0.1)


def test_resends_are_numbered_and_an_attempt_that_was_made_good_is_no_error_of_the_call(
    spans: InMemorySpanExporter,
) -> None:
    holder: list[ScriptedServer] = []
    with ScriptedServer(whole(503, headers=[("retry-after-ms", "1")]), prove(holder)) as server:
        holder.append(server)
        client = Client(ClientOptions(server.url, "m", retries="openai-sdk", provable=True))
        player = Player(
            iter([plan(0, 0.0, call("r-0", 0))]),
            client,
            Counters(Slo()),
            profile="test",
            agent_name="tester",
            seed=7,
            horizon_s=60,
        )
        player.start()
        assert player.wait(5)
        player.stop()
    first, second = named(spans, "POST")
    assert (attrs(first)[names.OUTCOME], attrs(first)[names.HTTP_STATUS]) == ("http_5xx", 503)
    assert names.HTTP_RESEND_COUNT not in attrs(first)
    assert attrs(second)[names.HTTP_RESEND_COUNT] == 1
    (chat,) = named(spans, "chat m")
    assert (attrs(chat)[names.OUTCOME], attrs(chat)[names.CALL_ATTEMPTS]) == ("ok", 2)
    assert chat.status.status_code is StatusCode.UNSET


def test_harm_is_written_on_the_call(spans: InMemorySpanExporter) -> None:
    with Rig(lambda server: prove(server, upto=5), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        assert rig.player.wait(5)
    (chat,) = named(spans, "chat m")
    found = attrs(chat)
    assert (found[names.OUTCOME], found[names.TOKENS_LOST], found[names.SILENTLY_TRUNCATED]) == ("truncated", 4, True)
    assert (found[names.TERMINALS], found[names.TOKENS_RECEIVED]) == (0, 4)


def test_nothing_records_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with Rig(lambda server: prove(server), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        assert rig.player.wait(5)
    assert "traceparent" not in rig.server.requests[0].head


def test_a_call_outside_its_slo_is_ok_and_not_good() -> None:
    with Rig(lambda server: prove(server, gap_s=0.12), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        assert rig.player.wait(5)
    assert (rig.counters.calls_ok, rig.counters.good_calls) == (1, 0)


def test_the_module_speaks_for_the_load_that_registered() -> None:
    with Rig(lambda server: prove(server), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        counters.register(rig.counters, rig.player)
        assert rig.player.wait(5)
        assert counters.snapshot()["arrivals"] == 1
        counters.register(Counters(Slo()), None)
        assert counters.snapshot()["load_started"] is None


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
