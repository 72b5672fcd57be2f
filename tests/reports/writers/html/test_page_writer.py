"""report.html: everything is in it, nothing is outside of it, and no name can break out of its place."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.report.build import Report
from reports.writers.html import page_writer as html
from reports.writers.html.bands import bands_of, health, phases
from reports.writers.html.canvas import draw, series_of, spec
from reports.writers.html.charts import CHARTS, log_ticks
from reports.writers.html.page_writer import page_text, write_html
from tests.support.record_builder import RecordBuilder, Up, good_run, migrated

EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


def lost_pool(path: Path) -> RecordBuilder:
    """A run in which the pool tpu was killed at 20 s, with one call carried on and one lost."""
    builder = good_run(path)
    builder.fault()
    builder.call("saved", 2, 19.5, gaps={5: 0.84}, ups=migrated(20.02, resumed=20.9, sent=19.5, passed_on=5))
    builder.call("gone", 0, 19.6, tokens=3, outcome="error_event", ups=[Up("tpu-0", 19.601, 20.03, "truncated")])
    builder.session("saved", 19.5, 22.0)
    builder.session("gone", 19.6, 20.03, "lost")
    builder.transition(20.05, "tpu-0", "ejected")
    builder.transition(32.0, "tpu-0", "readmitted")
    for second in range(55):
        replicas = {"tpu-0": {"pool": "tpu", "breaker": "closed", "ejected": 20 <= second < 32, "in_flight": 1}}
        counts = {"requests": second, "attempts": second, "migrations": int(second > 20), "retries": 0, "refused": 0}
        builder.gauge("gateway", second, kind="gateway", data={"replicas": replicas, "panic": False, **counts})
        load = {"running": 2, "waiting": second % 3, "kv_used": 10, "kv_total": 100}
        builder.gauge("tpu-0", second, kind="replica", data=load)
    return builder


def report_of(builder: RecordBuilder) -> Report:
    return analyse(builder.write(), write=False)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Of a run with a lost pool."""
    return report_of(lost_pool(tmp_path_factory.mktemp("runs") / "run"))


def own_text(page: str) -> str:
    """The page without Bokeh's script."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_is_one_file_that_loads_nothing(report: Report, tmp_path: Path) -> None:
    path = write_html(report, tmp_path)

    assert path == tmp_path / "report.html"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    page = own_text(path.read_text(encoding="utf-8"))
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert "url(" not in page
    assert "http" not in page
    assert path.stat().st_size < 3_000_000


def test_verdict_title_and_every_gate_are_told(report: Report) -> None:
    page = page_text(report.data)

    assert report.data["run"]["title"] in page
    assert "Failed</p>" in page
    for gate in report.data["gates"]:
        assert f"<code>{gate['text']}</code>" in page
        assert gate["why"] in page
    assert '<pre id="command">brownout run lose-tpu-pool --seed 7</pre>' in page


def test_the_worst_failovers_are_followed_span_by_span(report: Report) -> None:
    page = page_text(report.data)

    assert "<code>gone/main#0</code>" in page
    assert "ended ok: interrupted at tpu-0, after 5 tokens of 11, went on at gpu-1 840 ms later" in page
    assert "it was killed: its spans died with it" in page
    assert page.index("gone/main#0") < page.index("saved/main#2")


def test_names_from_files_cannot_break_out(tmp_path: Path) -> None:
    builder = lost_pool(tmp_path / "run")
    builder.experiment |= {"name": EVIL, "title": EVIL, "description": EVIL, "command": EVIL}
    builder.experiment["stack"]["replicas"][0] |= {"name": EVIL, "pool": EVIL}
    builder.fault("f2", EVIL, [EVIL])
    builder.call(EVIL, 0, 21.0, outcome="error_event", ups=[Up(EVIL, 21.001, 21.5, EVIL)])
    builder.session(EVIL, 21.0, 21.6, "lost")
    page = page_text(report_of(builder).data)

    assert "<img" not in page
    assert "<script>alert" not in page
    assert "&lt;img src=x" in page
    data = re.search(r'<script type="application/json" id="charts-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert EVIL[:20] in json.loads(data[1])["charts"][0]["bands"][-1]["what"]


def test_each_part_that_breaks_costs_only_itself(report: Report) -> None:
    whole = dict(report.data)
    for part in ("gates", "proofs", "measures", "failovers", "outcomes", "timeline", "health", "cost_by_pool"):
        page = page_text({**whole, part: None})
        assert "brownout run lose-tpu-pool" in page, part
        assert "could not be" in page, part


def test_without_bokeh_the_page_says_that_charts_are_missing(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "find_spec", lambda name: None)
    page = page_text(report.data)

    assert "The charts could not be drawn." in page
    assert "bokeh is not installed" in page
    assert "gone/main#0" in page


def test_a_record_cut_short_after_its_start_still_makes_a_page(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.event("run", 0.0, event="started", why="")
    page = page_text(report_of(builder).data)

    assert "Inconclusive" in page
    assert "Not drawn, since this run has nothing of it" in page
    assert "No call of this run was interrupted" in page


def test_a_run_without_a_fault_says_so(tmp_path: Path) -> None:
    page = page_text(report_of(good_run(tmp_path / "run", sessions=4)).data)

    assert "This run had no fault." in page
    assert "Around the fault" not in page


def test_the_page_is_made_from_a_report_read_back_from_json(report: Report, tmp_path: Path) -> None:
    from reports.writers.json_report import write_json

    data: dict[str, Any] = json.loads(write_json(report, tmp_path).read_text())
    page = page_text(data)

    assert "could not be made" not in page
    assert "never went on" in page


def test_charts_are_ready_for_json(report: Report) -> None:
    placed = draw(report.data, CHARTS)
    shown = spec(report.data, placed)

    assert not [one.problem for one in placed if one.problem]
    text = json.dumps(shown, allow_nan=False)
    assert {chart["id"] for chart in json.loads(text)["charts"]} >= {"phases", "calls", "ttft", "failures", "health"}
    for chart in shown["charts"]:
        used = {layer["series"] for layer in chart["layers"]} | {name for _, name in chart["told"]}
        assert used <= set(chart["series"])
        assert {len(series) for series in chart["series"].values()} <= {shown["seconds"]}


def test_the_fault_is_shaded_from_injection_to_revert(report: Report) -> None:
    shown = spec(report.data, draw(report.data, CHARTS))

    assert shown["faults"] == [(20.0, 30.0)]
    chart = phases(report.data)
    assert chart is not None
    assert [band.what for band in chart.bands] == ["warmup", "baseline", "fault", "recovery", "drain", "kill tpu"]


def test_what_failed_is_told_by_place_and_outcome(report: Report) -> None:
    chart = next(one.chart for one in draw(report.data, CHARTS) if one.id == "failures")

    assert chart is not None
    assert {name for _, name in chart.legend} == {
        "client: error_event (1)",
        "upstream tpu: reset (1)",
        "upstream tpu: truncated (1)",
    }


def test_an_ejection_lasts_until_the_readmission_and_ends_the_rotation() -> None:
    changes = [
        {"at_s": 5.0, "replica": "a", "transition": "ejected", "why": "3 failures"},
        {"at_s": 8.0, "replica": "a", "transition": "readmitted", "why": "probe"},
        {"at_s": 9.0, "replica": "b", "transition": "breaker_open", "why": "half failed"},
        {"at_s": 9.0, "replica": "unknown", "transition": "ejected", "why": ""},
    ]
    fault = {"id": "f1", "kind": "kill", "targets": ["a"], "stages": {"injected": 4.0}}
    bands = {(band.what, band.left, band.right) for band in bands_of(["a", "b"], changes, [fault], 20.0)}

    assert bands == {
        ("a: in rotation", 0.0, 5.0),
        ("a: in rotation", 8.0, 20.0),
        ("a: ejected", 5.0, 8.0),
        ("a: kill (f1)", 4.0, 20.0),
        ("b: in rotation", 0.0, 9.0),
        ("b: breaker open", 9.0, 20.0),
    }


def test_of_a_large_fleet_those_with_trouble_are_shown(report: Report) -> None:
    fleet = [{**report.data["run"]["replicas"][0], "name": f"r-{number}"} for number in range(200)]
    data = {**report.data, "run": {**report.data["run"], "replicas": fleet}}
    chart = health(data)

    assert chart is not None
    assert set(chart.rows.values()) == {"tpu-0"}
    assert "200 more replicas" in chart.note


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.02, 2.7, [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]), (0.3, 0.9, [0.5]), (0.001, 90, [0.001, 0.01, 0.1, 1, 10])],
)
def test_ticks_of_a_logarithm_are_few_and_round(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks


def test_a_series_has_gaps_where_there_is_no_number() -> None:
    assert series_of([1, None, math.nan, math.inf, "never", 0.25], 100.0) == [100.0, None, None, None, None, 25.0]


def test_writing_the_page_imports_no_bokeh() -> None:
    code = "import sys, reports.writers.html.page_writer; print('bokeh' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.split() == ["False", "False"]
