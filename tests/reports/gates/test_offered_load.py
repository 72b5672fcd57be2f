"""Without load nothing is decided: no gate passes or fails, and no run passes."""

from __future__ import annotations

import pytest

from reports.analysis import analyse
from reports.gates.verdict import decide
from reports.measures.catalogue import CATALOGUE
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged

COUNTS = ("sessions_lost == 0", "calls_failed == 0", "silent_truncations == 0", "calls == 0", "sessions == 0")
FAILING = ("calls >= 1", "sessions >= 1", "calls_ok >= 1", "shed >= 5")


@pytest.mark.parametrize("gates", [COUNTS, FAILING, ("session_success >= 97%", "ttft.p95 <= 1 s")])
def test_a_run_without_a_session_is_inconclusive_whatever_its_gates(
    record: RecordBuilder, gates: tuple[str, ...]
) -> None:
    record.load_gauges(arrivals=0)
    assert {result.verdict for result in judged(record, *gates)} == {"inconclusive"}
    record.experiment["gates"] = list(gates)
    verdict = analyse(record.write(), write=False).verdict
    assert (verdict.verdict, verdict.exit_code) == ("inconclusive", 3)
    assert any("no session was started in this run" in why for why in verdict.why)


def test_a_run_without_a_call_is_inconclusive(record: RecordBuilder) -> None:
    record.session("s0", 6.0, 7.0)
    for result in judged(record, *COUNTS, *FAILING):
        assert (result.verdict, "no call was made in this run" in result.why) == ("inconclusive", True)


def test_on_inconclusive_pass_does_not_make_a_run_without_load_pass(record: RecordBuilder) -> None:
    record.experiment["gates"] = [{"gate": "calls_failed == 0", "on_inconclusive": "pass"}]
    report = analyse(record.write(), write=False)
    assert report.data["gates"][0]["verdict"] == "pass"
    assert (report.verdict.verdict, report.verdict.why) == ("inconclusive", ("no session was started in this run",))


def test_every_count_without_load_is_inconclusive(record: RecordBuilder) -> None:
    gates = [f"{spec.name} >= 0" for spec in CATALOGUE.values() if spec.kind == "fact" and spec.default_stat == ""]
    assert len(gates) > 10
    assert {result.verdict for result in judged(record, *gates)} == {"inconclusive"}


def with_load_in_the_baseline(record: RecordBuilder) -> RecordBuilder:
    for index in range(20):
        record.call(f"s{index}", 0, 6.0 + index / 2)
        record.session(f"s{index}", 6.0 + index / 2, 7.0 + index / 2)
    return record


def test_a_count_in_a_phase_without_load_is_inconclusive(record: RecordBuilder) -> None:
    with_load_in_the_baseline(record)
    has, calls, sessions = judged(
        record, "calls_failed in baseline == 0", "calls_failed in recovery == 0", "sessions_lost in recovery == 0"
    )
    assert has.verdict == "pass"
    assert (calls.verdict, calls.why) == ("inconclusive", "no call was made in the recovery phase")
    assert (sessions.verdict, sessions.why) == ("inconclusive", "no session was started in the recovery phase")


def test_a_count_for_a_tenant_without_load_is_inconclusive(record: RecordBuilder) -> None:
    with_load_in_the_baseline(record)
    has, none = judged(record, "sessions_lost for tenant=acme == 0", "sessions_lost for tenant=acne == 0")
    assert has.verdict == "pass"
    assert none.why == "no session was started in baseline, fault, recovery for tenant=acne"


def test_the_number_of_calls_itself_is_exact_also_where_it_is_0(record: RecordBuilder) -> None:
    with_load_in_the_baseline(record)
    passes, fails = judged(record, "calls in recovery == 0", "sessions in recovery >= 1")
    assert (passes.verdict, fails.verdict) == ("pass", "fail")


def test_a_pool_that_got_no_call_is_a_result_of_the_routing(record: RecordBuilder) -> None:
    with_load_in_the_baseline(record)
    assert judged(record, "calls_failed in baseline for pool=tpu == 0")[0].verdict == "pass"


def test_the_verdict_says_that_there_was_no_load(record: RecordBuilder) -> None:
    found = decide(read_record(record.write()), (), (), no_load="no session was started in this run")
    assert (found.verdict, found.why[0]) == ("inconclusive", "no session was started in this run")
