"""Cost as text."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.views.cost import cost_view
from tests.support.tiers import two_tiers


def test_prices_are_compared_with_the_baseline(tmp_path: Path) -> None:
    view = cost_view(analyse(two_tiers(tmp_path / "run").write(), write=False).data)
    assert view["phases"] == ["baseline", "fault", "recovery"]
    assert [title for title, _ in view["rows"]] == [
        "hardware billed",
        "per 1,000 successful sessions",
        "per million useful output tokens",
    ]
    assert view["rows"][2][1][2][1].endswith("x baseline")
    assert view["knee"] == []


def test_a_knee_is_shown_if_a_gate_is_about_it(tmp_path: Path) -> None:
    builder = two_tiers(tmp_path / "run")
    builder.experiment["gates"] = ["knee >= 1"]
    assert [title for title, _ in cost_view(analyse(builder.write(), write=False).data)["knee"]] == [
        "highest session rate served within the objectives",
        "per 1,000 sessions at that rate",
    ]
