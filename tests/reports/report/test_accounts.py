"""Tenants and tiers in the report."""

from __future__ import annotations

from pathlib import Path

from reports.report.accounts import accounts
from tests.support.record_results import evidence_of
from tests.support.tiers import two_tiers


def test_tiers_are_in_order_of_priority_with_their_calls(tmp_path: Path) -> None:
    found = accounts(evidence_of(two_tiers(tmp_path / "run")))
    assert [row["name"] for row in found["tiers"]] == ["subscription", "batch"]
    batch = found["tiers"][1]["phases"]["fault"]
    assert (batch["asked"], batch["good"], batch["shed"]) == (4, 0, 4)
