"""Tenants and tiers as text."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.views.accounts import accounts_view
from tests.support.record_builder import good_run
from tests.support.tiers import two_tiers


def test_a_shed_tier_has_no_good_calls_and_no_ttft(tmp_path: Path) -> None:
    view = accounts_view(analyse(two_tiers(tmp_path / "run").write(), write=False).data)
    assert view is not None
    assert view["tiers"][1]["cells"][1] == {"calls": "4", "good": "0%", "shed": "4", "ttft": "never", "bad": True}
    assert [row["name"] for row in view["tenants"]] == ["acme", "globex", "hooli"]


def test_a_load_with_one_tenant_and_no_tiers_has_no_table(tmp_path: Path) -> None:
    assert accounts_view(analyse(good_run(tmp_path / "run").write(), write=False).data) is None
