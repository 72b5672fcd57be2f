"""What page and summary say of overload: who was served, what it cost, where requests waited."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.html.accounts import accounts_view
from reports.writers.html.cost import cost_view
from reports.writers.html.page_writer import page_text
from reports.writers.html.pressure import shed, waits
from reports.writers.markdown.summary import summary_text
from tests.support.record_builder import RecordBuilder, Up, good_run


def two_tiers(path: Path) -> RecordBuilder:
    """A good run beside which a batch tenant is sent away and a subscriber waits."""
    builder = good_run(path)
    builder.fault(hits=1)
    for index in range(4):
        at = 21.0 + index
        builder.call(f"b{index}", 0, at, outcome="rate_limited", ttft=None, ups=[], tenant="hooli", tier="batch")
        up = Up("gpu-0", at + 0.4, at + 1.2, passed_on=11, queue=[(at + 0.5, at + 0.8)])
        builder.call(f"w{index}", 0, at, ttft=1.0, tenant="globex", tier="subscription", ups=[up])
    return builder


def test_tiers_stand_in_the_order_in_which_they_are_served(tmp_path: Path) -> None:
    report = analyse(two_tiers(tmp_path / "run").write(), write=False)
    assert [row["name"] for row in report.data["accounts"]["tiers"]] == ["subscription", "batch"]
    batch = report.data["accounts"]["tiers"][1]["phases"]["fault"]
    assert (batch["asked"], batch["good"], batch["shed"]) == (4, 0, 4)
    view = accounts_view(report.data)
    assert view is not None
    assert view["tiers"][1]["cells"][1] == {"asked": "4", "good": "0%", "shed": "4", "ttft": "never", "bad": True}
    assert [row["name"] for row in view["tenants"]] == ["acme", "globex", "hooli"]


def test_a_load_of_one_tenant_without_tiers_has_no_such_table(tmp_path: Path) -> None:
    assert accounts_view(analyse(good_run(tmp_path / "run").write(), write=False).data) is None


def test_waits_and_shed_calls_are_drawn_by_the_second(tmp_path: Path) -> None:
    data = analyse(two_tiers(tmp_path / "run").write(), write=False).data
    chart = waits(data)
    assert chart is not None
    assert [series[21] for series in chart.series.values()] == [0.3995, 0.3]
    away = shed(data)
    assert away is not None
    assert away.legend[0][1] == "batch (4)"
    assert away.series["c0"][20:26] == [0, 1, 1, 1, 1, 0]


def test_a_run_where_nobody_waits_has_no_chart_of_waits(tmp_path: Path) -> None:
    data = analyse(good_run(tmp_path / "run").write(), write=False).data
    assert waits(data) is None
    assert shed(data) is None


def test_prices_are_held_against_the_baselines(tmp_path: Path) -> None:
    view = cost_view(analyse(two_tiers(tmp_path / "run").write(), write=False).data)
    assert view["phases"] == ["baseline", "fault", "recovery"]
    assert [title for title, _ in view["rows"]] == [
        "hardware held",
        "per 1,000 sessions that succeeded",
        "per million useful output tokens",
    ]
    assert view["rows"][2][1][2][1].endswith("x baseline")
    assert view["knee"] == []


def test_a_knee_is_shown_where_the_experiment_asks_for_it(tmp_path: Path) -> None:
    builder = two_tiers(tmp_path / "run")
    builder.experiment["gates"] = ["knee >= 1"]
    assert [title for title, _ in cost_view(analyse(builder.write(), write=False).data)["knee"]] == [
        "most sessions a second served well",
        "per 1,000 sessions there",
    ]


def test_page_and_summary_hold_them(tmp_path: Path) -> None:
    report = analyse(two_tiers(tmp_path / "run").write(), write=False)
    page, text = page_text(report.data), summary_text(report)
    assert "could not be made" not in page
    assert "<h2>Who was served</h2>" in page
    assert "## Who was served" in text
    assert "| hooli batch | 0, –, 0, – | 4, 0%, 4, never | 0, –, 0, – |" in text
    assert "## Cost" in text
