"""Which calls are selected for a waterfall, and that each is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.shared.errors import UserError
from reports.waterfall.calls import call_named, call_reports, failovers, slowest, worst_failovers
from reports.waterfall.rows import fault_windows, rows_of
from tests.support.foreign_records import ForeignRecord, foreign_record
from tests.support.lost_pool import lost_pool_calls
from tests.support.record_builder import RecordBuilder, Up, migrated
from tests.support.record_results import evidence_of


def labels(builder: RecordBuilder, session: str) -> list[str]:
    """The labels of the rows of the session's worst failover, sorted."""
    evidence = evidence_of(builder)
    (chosen,) = [pair for pair in failovers(evidence, 10) if pair[0].session == session]
    (report,) = call_reports(evidence, [chosen])
    return sorted(row.label for row in rows_of(report, fault_windows([])))


def test_a_call_that_never_resumed_comes_before_one_that_did(tmp_path: Path) -> None:
    evidence = evidence_of(lost_pool_calls(tmp_path / "run"))

    assert [call.session for call, _ in failovers(evidence, 5)] == ["gone", "saved"]
    assert [call.session for call, _ in failovers(evidence, 1)] == ["gone"]


def test_an_unknown_call_is_an_error_that_suggests_similar_names(tmp_path: Path) -> None:
    evidence = evidence_of(lost_pool_calls(tmp_path / "run"))

    with pytest.raises(UserError, match=r"saved/main#2"):
        call_named(evidence, "savde/main#2")
    with pytest.raises(UserError, match=r"for example saved/main#2"):
        call_named(evidence, "saved")


def test_slowest_calls_are_sorted_by_duration(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.phases()
    for name, pause in (("quick", 0.1), ("slow", 9.0), ("middling", 3.0)):
        builder.call(name, 0, 6.0, gaps={3: pause})

    assert [call.session for call, _ in slowest(evidence_of(builder), 2)] == ["slow", "middling"]


def test_a_call_is_complete_where_the_gateway_dropped_the_trace_context(tmp_path: Path) -> None:
    linked, unlinked = lost_pool_calls(tmp_path / "linked"), RecordBuilder(tmp_path / "unlinked", propagates=False)
    unlinked.phases()
    unlinked.fault()
    unlinked.call("saved", 2, 19.5, gaps={5: 0.84}, ups=migrated(20.02, resumed=20.9, sent=19.5, passed_on=5))

    assert labels(unlinked, "saved") == labels(linked, "saved")


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


def killed_and_continued(path: Path, *, propagates: bool) -> ForeignRecord:
    record = foreign_record(path)
    record.propagates = propagates
    record.fault()
    record.died("tpu-0")
    ups = [
        Up("tpu-0", 19.501, 20.01, "reset", passed_on=5, replica_span=False),
        Up("gpu-1", 20.05, 21.0, passed_on=6, offset=5),
    ]
    record.call("saved", 2, 19.5, ttft=0.3, gaps={5: 0.84}, ups=ups)
    return record


@pytest.mark.parametrize("propagates", [True, False])
def test_a_request_whose_span_was_lost_has_a_row_of_its_own(tmp_path: Path, propagates: bool) -> None:
    evidence = evidence_of(killed_and_continued(tmp_path / "run", propagates=propagates))
    (report,) = call_reports(evidence, list(failovers(evidence, 1)))
    requests = [span for span in report["spans"] if span["service"] == "brownout-replica"]
    assert [(span["instance"], span["depth"], span["start_s"]) for span in requests] == [
        ("tpu-0#1", 2, pytest.approx(19.502)),
        ("gpu-1#1", 2, pytest.approx(20.051)),
    ]
    assert requests[0]["end_s"] == pytest.approx(20.01)
    details = [row.detail for row in rows_of(report, fault_windows([]))]
    assert sum("its process ended, and the rest of this span was lost with it" in text for text in details) == 1


def test_a_lost_span_of_a_process_that_did_not_end_is_only_known_to_begin(tmp_path: Path) -> None:
    record = foreign_record(tmp_path / "run")
    record.call("s0", 0, 21.0, ups=[Up("gpu-0", 21.01, 21.6, passed_on=11, replica_span=False)])
    evidence = evidence_of(record)
    (report,) = call_reports(evidence, slowest(evidence, 1))
    details = [row.detail for row in rows_of(report, fault_windows([])) if row.kind == "replica"]
    assert details == ["only its begin is known: its span was never received"]


def test_the_worst_failovers_of_the_report_have_lost_requests_too(tmp_path: Path) -> None:
    evidence = evidence_of(killed_and_continued(tmp_path / "run", propagates=False))
    (worst,) = worst_failovers(evidence)
    assert (worst["from_replica"], worst["to_replica"]) == ("tpu-0", "gpu-1")
    assert (worst["tokens_before"], worst["tokens_after"]) == (5, 6)
    assert [span["instance"] for span in worst["spans"]][-2:] == ["tpu-0#1", "gpu-1#1"]


def test_a_late_request_is_below_the_call_that_it_belongs_to(tmp_path: Path) -> None:
    record = foreign_record(tmp_path / "run")
    record.propagates = False
    record.call("s0", 0, 21.0, outcome="timeout", ttft=None, ups=[Up("gpu-0", 30.0, 31.0)])
    evidence = evidence_of(record)
    (report,) = call_reports(evidence, slowest(evidence, 1))
    assert [span["instance"] for span in report["spans"]] == ["locust#1", "locust#1", "gpu-0#1"]
