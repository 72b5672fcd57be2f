"""The spans of turns, calls, attempts and sessions, as a player writes them."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from loadprofiles.client.client import Client
from loadprofiles.client.records import ClientOptions
from loadprofiles.player.counters import Counters
from loadprofiles.player.load_config import Slo
from loadprofiles.player.player import Player
from loadprofiles.sessions.session import Pause
from reports.record.chunklog import decode
from reports.shared import attributes as names
from tests.support.player_rig import Rig, attrs, call, duration_s, named, parent_id, plan
from tests.support.scripted_server import ScriptedServer, prove, whole


def test_an_attempt_span_has_the_requested_retry_after(spans: InMemorySpanExporter) -> None:
    busy = whole(503, headers=[("Retry-After", "7")])
    with Rig(lambda server: busy, iter([plan(0, 0.0, call("r-0", 0), calls=1)])) as rig:
        assert rig.player.wait(5)
    (attempt,) = named(spans, names.SPAN_ATTEMPT)
    assert (attrs(attempt)[names.HTTP_STATUS], attrs(attempt)[names.RETRY_AFTER]) == (503, 7.0)


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


def test_resends_are_numbered_and_a_successful_retry_is_not_an_error(
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


def test_lost_tokens_and_silent_truncation_are_written_on_the_call(spans: InMemorySpanExporter) -> None:
    with Rig(lambda server: prove(server, upto=5), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        assert rig.player.wait(5)
    (chat,) = named(spans, "chat m")
    found = attrs(chat)
    assert (found[names.OUTCOME], found[names.TOKENS_LOST], found[names.SILENTLY_TRUNCATED]) == ("truncated", 4, True)
    assert (found[names.TERMINALS], found[names.TOKENS_RECEIVED]) == (0, 4)


def test_without_a_recording_tracer_no_traceparent_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with Rig(lambda server: prove(server), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        assert rig.player.wait(5)
    assert "traceparent" not in rig.server.requests[0].head
