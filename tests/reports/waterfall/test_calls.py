"""Which calls are selected for a waterfall, and that each is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.shared.errors import UserError
from reports.waterfall.calls import call_named, call_reports, failovers, slowest
from reports.waterfall.rows import fault_windows, rows_of
from tests.support.lost_pool import lost_pool_calls
from tests.support.record_builder import RecordBuilder, migrated
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
