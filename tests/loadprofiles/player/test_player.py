"""The player: open-loop arrivals, hold, drain and stop. gevent runs here without its monkey patch."""

from __future__ import annotations

import time

import gevent
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from loadprofiles.sessions.session import Pause
from reports.shared import attributes as names
from reports.shared.attributes import SessionOutcome
from tests.support.player_rig import Rig, attrs, call, endless, named, plan
from tests.support.scripted_server import prove, whole


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


def test_a_delayed_scheduler_records_the_lateness_of_each_session(spans: InMemorySpanExporter) -> None:
    plans = [plan(0, 0.0, call("r-0", 0)), plan(1, 0.05, call("r-1", 0))]
    with Rig(lambda server: prove(server), iter(plans)) as rig:
        rig.until(lambda: rig.counters.arrivals == 1)
        time.sleep(0.4)  # blocks the whole process: no greenlet runs
        assert rig.counters.snapshot(rig.player)["arrivals_planned"] == 2
        assert rig.player.wait(5)
    assert rig.counters.late_arrivals == 1
    late = [attrs(span)[names.SESSION_LATENESS] for span in named(spans, names.SPAN_SESSION)]
    assert max(late) >= 0.3
    lateness = [attrs(span)[names.CALL_SCHEDULED_LATENESS] for span in named(spans, "chat m")]
    assert max(lateness) >= 0.3


def test_drain_starts_no_more_sessions_and_lets_running_ones_end() -> None:
    with Rig(lambda server: prove(server), endless()) as rig:
        rig.until(lambda: rig.counters.arrivals >= 5)
        rig.player.drain()
        planned = rig.player.arrivals_due()
        assert not rig.player.done
        assert rig.player.wait(5)
        assert rig.counters.arrivals <= planned <= rig.counters.arrivals + 1
        assert rig.counters.sessions[SessionOutcome.SUCCEEDED] == rig.counters.arrivals
        assert rig.player.arrivals_due() == planned


def test_sessions_that_come_due_during_a_hold_are_skipped_and_not_planned() -> None:
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


def test_a_failed_call_is_not_retried_during_a_hold() -> None:
    plans = [plan(0, 0.0, call("r-0", 0))]
    with Rig(lambda _: whole(503), iter(plans), retries="aggressive") as rig:
        rig.until(lambda: len(rig.server.requests) >= 3)
        rig.player.hold(True)
        assert rig.player.wait(5)
        assert rig.counters.sessions[SessionOutcome.LOST] == 1


def test_no_session_starts_after_the_horizon() -> None:
    with Rig(lambda server: prove(server), endless(), horizon_s=0.05) as rig:
        assert rig.player.wait(5)
        assert rig.counters.arrivals == 3


def test_stop_ends_sessions_as_unfinished_with_the_age_of_their_last_byte(spans: InMemorySpanExporter) -> None:
    thinking = plan(1, 0.0, Pause(60, "person"), call("r-1", 0))
    plans = [plan(0, 0.0, call("r-0", 0)), thinking]
    with Rig(lambda server: prove(server, end="hang", upto=4), iter(plans)) as rig:
        rig.until(lambda: rig.server.requests and rig.counters.running == 2)
        gevent.sleep(0.2)  # the age that is tested below
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
