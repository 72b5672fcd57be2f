"""Waits and shed calls per second."""

from __future__ import annotations

from pathlib import Path

from reports.report.pressure import pressure
from tests.support.record_results import evidence_of
from tests.support.tiers import two_tiers


def test_waits_and_shed_calls_are_counted_by_second(tmp_path: Path) -> None:
    found = pressure(evidence_of(two_tiers(tmp_path / "run")), 55)
    assert found["gateway_wait_p95_s"][21] == 0.3995
    assert found["replica_queue_p95_s"][21] == 0.3
    (batch,) = found["shed"]
    assert batch["tier"] == "batch"
    assert batch["counts"][20:26] == [0, 1, 1, 1, 1, 0]
