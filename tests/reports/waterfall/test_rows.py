"""The rows of a waterfall: failed attempts, missing spans, fault windows, the drawn range."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from reports.waterfall.calls import call_reports, failovers
from reports.waterfall.rows import Row, fault_windows, rows_of, window_of
from tests.support.lost_pool import lost_pool_calls
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import evidence_of


def rows_of_session(builder: RecordBuilder, session: str) -> list[Row]:
    """The rows of a call of the session that met the fault."""
    evidence = evidence_of(builder)
    (chosen,) = [pair for pair in failovers(evidence, 10) if pair[0].session == session]
    faults = [{"id": f.id, "kind": f.kind, "targets": f.targets, "stages": f.stages} for f in evidence.record.faults]
    return rows_of(call_reports(evidence, [chosen])[0], fault_windows(faults))


def test_spans_that_a_killed_replica_lost_are_named(tmp_path: Path) -> None:
    rows = rows_of_session(lost_pool_calls(tmp_path / "run"), "saved")

    first = next(row for row in rows if row.label == "#1 tpu-0")
    assert first.failed
    after = rows[rows.index(first) + 1]
    assert after.kind == "missing"
    assert after.detail == "killed before it exported its spans"
    second = next(row for row in rows if row.label == "#2 gpu-1 (migration)")
    assert not second.failed
    assert rows[rows.index(second) + 1].label == "replica gpu-1"


def test_a_refused_attempt_reached_no_replica(tmp_path: Path) -> None:
    builder = lost_pool_calls(tmp_path / "run")
    builder.call(
        "refused", 0, 25.0, ups=[Up("tpu-0", 25.001, 25.002, "refused", replica_span=False), Up("gpu-1", 25.1, 26)]
    )
    missing = [row for row in rows_of_session(builder, "refused") if row.kind == "missing"]

    assert [(row.label, row.detail) for row in missing] == [
        ("nothing reached tpu-0", "the connection was refused"),
    ]


def test_a_short_failover_of_a_long_call_is_zoomed() -> None:
    span = {
        "start_s": 0.0,
        "end_s": 100.0,
        "name": "chat m",
        "service": "",
        "parent": None,
        "attributes": {},
        "events": [],
    }
    call: dict[str, Any] = {
        "sent_s": 0.0,
        "spans": [span],
        "failover_s": 0.5,
        "last_token_before_s": 50.0,
        "first_token_after_s": 50.5,
    }

    window = window_of(call)
    assert window.zoomed
    assert (window.start_s, window.end_s) == (49.0, 52.0)
    assert window.share(0.0) == 0.0
    assert window.share(50.5) == 0.5
    assert not window_of(call | {"failover_s": 50.0}).zoomed
    assert not window_of(call | {"failover_s": math.inf}).zoomed


def test_a_fault_that_was_never_reverted_has_no_end() -> None:
    faults = [
        {"id": "f2", "kind": "freeze", "targets": ["a"], "stages": {"injected": 7.0}},
        {"id": "f1", "kind": "kill", "targets": ["a"], "stages": {"injected": 3.0, "reverted": 5.0}},
        {"id": "f0", "kind": "kill", "targets": ["a"], "stages": {"planned": 0.0}},
    ]

    assert [(fault.id, fault.end_s) for fault in fault_windows(faults)] == [("f1", 5.0), ("f2", math.inf)]


def test_a_call_without_spans_has_no_rows() -> None:
    assert rows_of({"spans": []}, []) == []
