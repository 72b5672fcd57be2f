"""Sessions in a player: forks, lost sessions, repeated calls."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from loadprofiles.sessions.session import CallResult, Fork, SessionPlan, Step
from reports.shared import attributes as names
from reports.shared.attributes import SessionOutcome
from tests.support.player_rig import ListedAgent, Rig, attrs, call, named, plan
from tests.support.scripted_server import prove, whole


def test_forked_agents_play_concurrently_and_all_are_awaited() -> None:
    subs = tuple(ListedAgent(f"sub-{i}", [call("r-0", 0, f"sub-{i}")]) for i in range(1, 4))
    main = plan(0, 0.0, call("r-0", 0), Fork(subs), call("r-0", 1), calls=5)
    with Rig(lambda server: prove(server, gap_s=0.02), iter([main])) as rig:
        assert rig.player.wait(5)
    times = [request.at_s for request in rig.server.requests]
    assert len(times) == 5
    assert max(times[1:4]) - min(times[1:4]) < 0.2  # an answer takes longer than that
    assert times[4] - max(times[1:4]) >= 0.2
    assert rig.counters.sessions[SessionOutcome.SUCCEEDED] == 1
    assert [result is None for result in main.agent.results] == [True, False, True, False]  # type: ignore[attr-defined]


def test_a_lost_session_has_the_outcome_of_its_failed_call(spans: InMemorySpanExporter) -> None:
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


def test_an_agent_loop_repeats_a_failed_call_as_a_new_call(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadprofiles.retries.agent_loop._PAUSE_S", 0.01)
    main = plan(0, 0.0, call("r-0", 0), call("r-0", 1), calls=2)
    scripts = lambda server: [whole(400), prove(server, upto=5, end="fin"), prove(server)]  # noqa: E731
    with Rig(scripts, iter([main]), retries="agent-loop") as rig:
        assert rig.player.wait(5)
        assert (rig.counters.calls_sent, rig.counters.calls_ok, rig.counters.calls_failed) == (4, 2, 2)
    assert rig.counters.sessions[SessionOutcome.SUCCEEDED] == 1
    assert [result and result.ok for result in main.agent.results] == [None, True, True]  # type: ignore[attr-defined]
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


def test_an_aggressive_client_retries_until_the_load_ends(spans: InMemorySpanExporter) -> None:
    with Rig(lambda server: whole(503), iter([plan(0, 0.0, call("r-0", 0))]), retries="aggressive") as rig:
        rig.until(lambda: len(rig.server.requests) >= 6)
        rig.player.drain()
        assert not rig.player.done
        rig.player.stop()
        assert rig.player.done
    assert rig.counters.sessions == {"succeeded": 0, "lost": 0, "unfinished": 1}
    (chat,) = named(spans, "chat m")
    assert attrs(chat)[names.OUTCOME] == "abandoned"


def test_an_agent_that_raises_loses_only_its_own_session() -> None:
    class Broken(ListedAgent):
        def next(self, now: float, last: CallResult | None) -> Step:
            raise RuntimeError("a bug")

    broken = SessionPlan(0, "r-0", None, 0.0, 1, Broken("main", []))
    with Rig(lambda server: prove(server), iter([broken, plan(1, 0.0, call("r-1", 0))])) as rig:
        assert rig.player.wait(5)
    assert rig.counters.sessions == {"succeeded": 1, "lost": 1, "unfinished": 0}
