"""The timeline of a run."""

from __future__ import annotations

from pathlib import Path

from reports.report.series import health_changes, series
from tests.support.lost_pool import lost_pool_run
from tests.support.record_results import evidence_of


def test_failures_and_lost_sessions_count_in_the_second_they_ended(tmp_path: Path) -> None:
    found = series(evidence_of(lost_pool_run(tmp_path / "run")))
    assert found["seconds"] == 55
    assert [second for second, count in enumerate(found["sessions_lost"]) if count] == [20]
    assert [second for second, count in enumerate(found["failed"]) if count] == [20]
    assert {(entry["at"], entry["pool"], entry["outcome"]) for entry in found["errors"]} == {
        ("client", "", "error_event"),
        ("upstream", "tpu", "reset"),
        ("upstream", "tpu", "truncated"),
    }


def test_gauges_are_given_by_replica_and_second(tmp_path: Path) -> None:
    replica = series(evidence_of(lost_pool_run(tmp_path / "run")))["replicas"]["tpu-0"]
    assert replica["pool"] == "tpu"
    assert replica["kv_used_share"][3] == 0.1
    assert replica["ejected"][19:21] == [False, True]


def test_changes_of_health_have_replica_pool_and_time(tmp_path: Path) -> None:
    changes = health_changes(evidence_of(lost_pool_run(tmp_path / "run")))
    assert [(change["at_s"], change["replica"], change["pool"], change["transition"]) for change in changes] == [
        (20.05, "tpu-0", "tpu", "ejected"),
        (32.0, "tpu-0", "tpu", "readmitted"),
    ]
