"""The sentence says what broke and why, and nothing that the evidence does not show."""

from __future__ import annotations

from reports.explanation.words import fault_text
from reports.shared import attributes as names
from tests.support.explained import explained, lose, sentence
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import RecordBuilder, Up, migrated


def test_streams_on_a_killed_replica_that_nothing_carried_on(record: RecordBuilder) -> None:
    record.fault()
    for index in range(3):
        lose(record, f"s{index}", outcome="truncated")
    assert sentence(record) == (
        "3 sessions lost: each had a stream on tpu-0 when the fault kill stopped it, and nothing carried it on."
    )


def test_one_lost_session_is_one(record: RecordBuilder) -> None:
    record.fault()
    lose(record, "s0", outcome="truncated")
    assert sentence(record).startswith("1 session lost: it had a stream on tpu-0")


def test_half_an_answer_that_was_passed_off_as_complete(record: RecordBuilder) -> None:
    record.fault()
    lose(record, "s0", outcome="truncated", its={names.SILENTLY_TRUNCATED: True})
    assert "a part of the answer was passed off as a complete one" in sentence(record)


def test_a_retry_that_failed_too(record: RecordBuilder) -> None:
    record.fault()
    ups = [Up("tpu-0", 19.501, 20.05, "reset"), Up("gpu-0", 20.06, 20.3, "http_5xx", "retry")]
    lose(record, "s0", outcome="http_5xx", status=502, message="no replica could answer", ups=ups, ttft=None)
    assert sentence(record) == (
        "1 session lost: it waited for a first token from tpu-0 when the fault kill stopped it, and every further "
        "attempt failed; the client got status 502."
    )


def test_calls_that_no_fault_touched(record: RecordBuilder) -> None:
    record.fault()
    ups = [Up("gpu-0", 19.501, 20.05, "rate_limited")]
    lose(record, "s0", outcome="rate_limited", status=429, message="slow down", ups=ups, ttft=None)
    assert "a call that no fault touched, and the client got status 429 (slow down)" in sentence(record)


def refused_unseen(record: ForeignRecord, calls: int) -> None:
    """Calls that failed while the replicas were dead, with no request at any replica of ours."""
    record.fault(hits=0)
    record.died("tpu-0", "tpu-1")
    record.steady()
    for index in range(calls):
        lose(record, f"s{index}", outcome="http_5xx", status=502, message="Bad Gateway", ups=[], ttft=None, sent=25.0)


def test_calls_that_a_dead_replica_may_have_refused_were_not_untouched(foreign: ForeignRecord) -> None:
    refused_unseen(foreign, 3)
    foreign.refusals((0.0, 0), (27.0, 3))
    data = explained(foreign)
    assert data["explanation"]["sentence"].startswith(
        "3 sessions lost: each had a call that a dead replica may have refused unseen, and the client got status 502"
    )
    (fault,) = data["faults"]
    assert (fault["calls_met"], fault["calls_met_at_most"]) == (0, 3)
    assert "; at least 0 calls met it" in fault_text(fault)


def test_where_nothing_was_refused_no_fault_touched_the_calls(foreign: ForeignRecord) -> None:
    refused_unseen(foreign, 3)
    foreign.refusals((0.0, 0), (27.0, 0))
    data = explained(foreign)
    assert "each had a call that no fault touched" in data["explanation"]["sentence"]
    assert data["faults"][0]["calls_met_at_most"] == 0


def test_no_more_calls_met_a_fault_than_were_refused(foreign: ForeignRecord) -> None:
    refused_unseen(foreign, 9)
    foreign.refusals((0.0, 0), (27.0, 4))
    assert explained(foreign)["faults"][0]["calls_met_at_most"] == 4


def test_what_met_a_command_of_the_user_is_not_known(record: RecordBuilder) -> None:
    record.command()
    record.call("s0", 0, 25.0)
    assert explained(record)["faults"][0]["calls_met_at_most"] is None


def test_the_largest_cause_is_named_and_the_others_are_counted(record: RecordBuilder) -> None:
    record.fault()
    for index in range(3):
        lose(record, f"s{index}", outcome="truncated")
    ups = [Up("gpu-0", 19.6, 19.7, "http_4xx")]
    lose(record, "x", outcome="http_4xx", status=400, message="bad", ups=ups, ttft=None)
    found = sentence(record)
    assert found.startswith("4 sessions lost: each of 3 had a stream on tpu-0")
    assert found.endswith("; 1 more for another reason.")


def test_a_session_that_fell_silent(record: RecordBuilder) -> None:
    record.session("s0", 19.0, 54.0, "unfinished", silent=20.0)
    record.call("s0", 0, 19.0)
    assert sentence(record) == "1 session lost: it received nothing more until the end of the run."


def test_a_target_without_server_spans_is_explained_from_the_client(record: RecordBuilder) -> None:
    record.has_gateway = False
    lose(record, "s0", outcome="http_4xx", status=401, message="Incorrect API key", ups=[], ttft=None)
    assert sentence(record) == (
        "1 session lost: it had a call that no fault touched, and the client got status 401 (Incorrect API key)."
    )


def test_a_failed_gate_without_a_lost_session_names_its_value(record: RecordBuilder) -> None:
    record.experiment["slo"] = {"ttft": 0.1, "tpot": 1.0}
    for index in range(80):
        record.call(f"s{index}", 0, 6.0 + index / 100, ttft=0.5)
        record.session(f"s{index}", 6.0, 8.0)
    found = explained(record, "ttft.max in baseline <= 100 ms")["explanation"]
    assert found["sentence"] == (
        "No session was lost. Time to first token was 500 ms in the baseline phase (gate: ttft.max in baseline <= 100 "
        "ms). 80 calls waited too long for the first token (over 100 ms), in the baseline phase, all on the pool gpu."
    )
    assert (found["gates_failed"], found["gates"]) == (1, 1)


def test_a_run_that_passes_says_what_it_survived(record: RecordBuilder) -> None:
    record.load_gauges(arrivals=1)
    record.fault(hits=1)
    record.call("s0", 2, 19.5, gaps={5: 0.84}, ups=migrated(20.02, resumed=20.9, sent=19.5, passed_on=5))
    record.session("s0", 19.0, 22.0)
    assert sentence(record) == (
        "1 call met the fault kill: 1 was interrupted, and 1 of these was carried on, the slowest after 840 ms."
    )


def test_a_run_that_failed_by_itself_says_so_first(record: RecordBuilder) -> None:
    record.event("run", 30.0, event="failed", why="tpu-0 exited unexpectedly\n    log: x")
    assert sentence(record).startswith("Failed: tpu-0 exited unexpectedly; log: x")


def test_a_run_without_anything_decidable_says_why(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    assert "No gate failed, and one gate could not be decided" in sentence(record, "ttft.p99 <= 2 s")


def test_a_surge_that_cost_sessions_did_not_hold(record: RecordBuilder) -> None:
    record.fault(kind="surge", targets=["load"], hits=1)
    ups = [Up("gpu-0", 20.5, 21.0, "rate_limited")]
    lose(record, "s0", outcome="rate_limited", status=429, message="slow down", ups=ups, sent=20.4)
    found = sentence(record, "calls >= 1000")
    assert "no fault touched, while the fault surge was active" in found
    assert "held" not in found


def test_a_run_that_did_not_pass_without_a_failed_gate_says_why(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.event("run", 20.0, event="not_steady", why="not steady before the fault: ttft.p95 <= 1 s: 3 s")
    assert "ot steady before the fault" in sentence(record, "calls in baseline >= 0")


def test_a_busy_machine_is_named_first_with_its_figure_and_what_to_do(good: RecordBuilder) -> None:
    good.experiment["gates"] = ["sessions_lost == 0", "silent_truncations == 0"]
    good.load_gauges(arrivals=100, late=31)
    assert sentence(good) == (
        "This machine was too busy to decide one gate: 31.0% of the sessions started over 100 ms late (limit 2%). "
        "Stop other programs on it, play it again with --retry-inconclusive 2, or give it less load."
    )
