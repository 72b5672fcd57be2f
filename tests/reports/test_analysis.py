"""From the folder of a run to its verdict: files, reasons and exit codes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest

from brownout.children import python_words
from reports.analysis import NOT_STEADY, analyse, main
from reports.comparison.spread import SpreadFile
from reports.gates.carrying import Carrying
from reports.gates.grammar import parse_gate
from tests.support.paths import ROOT
from tests.support.record_builder import RecordBuilder, Up, good_run, migrated
from tests.support.stored_spread import MACHINE, spread_for


def failing_over(record: RecordBuilder) -> RecordBuilder:
    """Five calls met a kill and continued."""
    record.fault()
    record.transition(20.3, "tpu-0", "ejected")
    for index in range(5):
        record.call(f"m{index}", 0, 19.4, gaps={3: 0.9}, ups=migrated(20.01, resumed=20.84, sent=19.4, passed_on=3))
        record.session(f"m{index}", 19.4, 21.0)
    record.call("back", 0, 33.0, ups=[Up("tpu-0", 33.0, 33.7, passed_on=11)])
    record.session("back", 33.0, 34.0)
    return record


def test_a_passing_run_writes_each_file_and_exits_with_0(good: RecordBuilder) -> None:
    good.experiment["gates"] = ["sessions_lost == 0", {"gate": "failover.max <= 5 s", "on_inconclusive": "fail"}]
    path = failing_over(good).write()
    done = subprocess.run(
        python_words("-m", "reports.analysis", str(path)), capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "pass: all 2 gates passed\n"
    for name in ("report.json", "junit.xml", "summary.md", "spans.parquet"):
        assert (path / name).stat().st_size > 0
    report = json.loads((path / "report.json").read_text())
    assert report["schema"] == 3
    assert report["verdict"] == {"verdict": "pass", "exit_code": 0, "why": ["all 2 gates passed"]}
    (fault,) = report["faults"]
    assert (fault["calls_met"], fault["calls_interrupted"], fault["calls_saved"], fault["hits"]) == (5, 5, 5, 5)
    assert fault["detected_after_s"] == pytest.approx(0.02)
    assert fault["readmitted_after_s"] == {"tpu-0": pytest.approx(3.0), "tpu-1": "never"}
    worst = report["failovers"][0]
    assert worst["failover_s"] == pytest.approx(0.9)
    assert [(span["name"], span["depth"]) for span in worst["spans"]] == [
        ("chat test-70b", 0),
        ("POST", 1),
        ("brownout.gateway.request", 2),
        ("POST", 3),
        ("POST", 3),
        ("brownout.replica.request", 4),
    ]
    assert [path.name for path in path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("gates", "event", "verdict", "code"),
    [
        (["sessions_lost == 0"], None, "pass", 0),
        (["sessions_lost == 0", "ttft.p95 in baseline <= 1 ms"], None, "fail", 1),
        (["sessions_lost == 0", "ttft.p99 in baseline <= 2 s"], None, "inconclusive", 3),
        (["ttft.p95 in baseline <= 1 ms", "ttft.p99 in baseline <= 2 s"], None, "fail", 1),
        ([], None, "inconclusive", 3),
        (["slo_attainment in baseline >= 95%"], "aborted", "aborted", 4),
        (["ttft.p95 in baseline <= 1 ms"], "aborted", "fail", 1),
        (["ttft.p95 in baseline <= 1 ms"], "failed", "failed", 5),
        (["ttft.p95 in baseline <= 1 ms"], "interrupted", "interrupted", 130),
    ],
)
def test_the_first_verdict_by_precedence_decides(
    good: RecordBuilder, gates: list[str], event: str | None, verdict: str, code: int
) -> None:
    good.experiment["gates"] = gates
    if event is not None:
        good.event("run", 50.0, event=event, why="because")
    report = analyse(good.write(), write=False)
    assert (report.verdict.verdict, report.exit_code) == (verdict, code)
    assert report.verdict.why


def test_a_baseline_that_was_not_steady_fails_the_run(good: RecordBuilder) -> None:
    good.experiment["steady_state"] = ["ttft.p95 <= 1 ms"]
    report = analyse(good.write(), write=False)
    assert report.exit_code == 1
    assert report.verdict.why[0].startswith("not steady before the fault: ttft.p95 <= 1 ms")
    assert report.data["steady_state"][0]["phase"] == "baseline"


def test_steady_state_is_judged_while_the_run_continues(
    record: RecordBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    record.events.clear()
    record.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0})
    record.call("s0", 0, 6.0)
    record.experiment["steady_state"] = ["calls >= 1"]
    path = record.write()
    assert main([str(path), "--steady"]) == 0
    record.experiment["steady_state"] = ["calls >= 1", "calls == 0"]
    path = record.write()
    assert main([str(path), "--steady"]) == NOT_STEADY
    assert capsys.readouterr().out.splitlines()[-1].startswith("calls == 0: 1")
    assert not (path / "report.json").exists()


def test_a_gate_that_cannot_be_parsed_makes_the_run_inconclusive(good: RecordBuilder) -> None:
    good.experiment["gates"] = ["sessions_lots == 0", "sessions_lost == 0"]
    report = analyse(good.write(), write=False)
    assert (report.verdict.verdict, report.exit_code) == ("inconclusive", 3)
    assert any("sessions_lots" in why for why in report.verdict.why)


def test_the_record_of_a_killed_runner_gives_a_report(record: RecordBuilder) -> None:
    record.events.clear()
    record.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0})
    record.fault(stages={"planned": 0.0, "injected": 20.0})
    record.call("s0", 0, 21.0)
    path = record.write()
    with (path / "spans" / "0001.otlp").open("ab") as file:
        file.write(b"\x00\x00\x10\x00torn")
    assert main([str(path)]) == 3
    report = json.loads((path / "report.json").read_text())
    assert report["proofs"]["spans"]["torn_files"] == 1
    assert any("before the end of the run" in note for note in report["notes"])


def test_a_record_with_only_events_gives_a_report(good: RecordBuilder) -> None:
    path = good.write()
    (path / "spans" / "0001.otlp").unlink()
    (path / "gauges.jsonl").unlink()
    (path / "experiment.yaml").unlink()
    assert main([str(path)]) == 3
    assert json.loads((path / "report.json").read_text())["measures"]["calls"]["run"]["value"] == 0


def test_a_folder_without_a_record_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no record of a run" in capsys.readouterr().err
    assert main([]) == 2


def test_no_measure_crashes_on_a_full_or_an_empty_record(good: RecordBuilder, record: RecordBuilder) -> None:
    for builder in (failing_over(good), RecordBuilder(record.path.with_name("empty"), events=record.events)):
        measures = analyse(builder.write(), write=False).data["measures"]
        crashed = [name for name, its in measures.items() if "crashed" in its["run"]["why_not"]]
        assert crashed == []


DYNAMIC = {
    "lost_in_phase": 1,
    "faults[].params": 1,
    "faults[].stages": 1,
    "faults[].readmitted_after_s": 1,
    "run.slo": 1,
    "run.trace": 1,
    "measures": 1,
    "measures.*.phases": 1,
    "outcomes": 2,
    "alerts.match": 1,
    "alerts.changes[].labels": 1,
    "accounts.tenants[].phases": 1,
    "accounts.tiers[].phases": 1,
    "cost_by_pool": 1,
    "twin.sessions": 1,
    "twin.calls": 1,
    "timeline.replicas": 1,
    "failovers[].spans[].attributes": 1,
    "failovers[].spans[].events[].attributes": 1,
    "proofs.machine.token_lateness_buckets": 1,
}
"""Objects whose keys are names of the run, and down to which depth."""


def key_paths(value: Any, path: str = "", dynamic: int = 0) -> Iterator[str]:
    if isinstance(value, dict):
        dynamic = max(dynamic, DYNAMIC.get(path, 0))
        for key, item in value.items():
            below = "*" if dynamic else key
            yield from key_paths(item, f"{path}.{below}" if path else below, dynamic - 1)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from key_paths(item, f"{path}[]", 0)
        yield path
    else:
        yield path


def test_each_field_of_the_report_is_documented(good: RecordBuilder) -> None:
    failing_over(good)
    good.experiment["steady_state"] = ["slo_attainment >= 50%"]
    good.experiment["alerts"] = {"port": 9099, "match": {"severity": "page"}}
    good.event("alert_port", -3.0, event="opened", port=9099)
    good.alert(22.0)
    good.event("guardrail", 40.0, text="abort if session_success < 50% for 5s", value=0.4)
    good.call("shed", 0, 25.0, outcome="rate_limited", ttft=None, ups=[], tier="batch")
    good.call("lost", 0, 25.0, outcome="http_5xx", ttft=None, ups=[Up("tpu-0", 25.0, 25.1, "http_5xx", hits=("f1",))])
    good.session("lost", 25.0, 25.1, "lost")
    buckets = {"token_lateness_ms": {"count": 1, "buckets": {"1": 1, "inf": 1}}, "kv_used": 1, "kv_total": 10}
    good.gauge("tpu-0", 6.0, kind="replica", data={})
    good.gauge("tpu-0", 7.0, kind="replica", data=buckets)
    state = {"tpu-0": {"pool": "tpu", "breaker": "closed", "ejected": False, "in_flight": 1, "load_ms": 3.0}}
    good.gauge("gateway", 7.0, kind="gateway", data={"replicas": state, "panic": False, "requests": 1})
    good.event("machine", -3.0, **MACHINE)
    path = good.write()
    twin = good_run(path.parent / "twin")
    twin.event("machine", -3.0, **MACHINE)
    stored = [spread_for(analyse(one, write=False).data) for one in (path, twin.write())]
    (path / "spread.json").write_bytes(msgspec.json.encode(SpreadFile(1, stored)))
    calls = {"fault": {"offered": 1, "good": 1, "share": 1.0}}
    (path / "twin.json").write_text(json.dumps({"path": "../twin", "calls": calls}))
    analyse(path)
    schema = (ROOT / "docs" / "report-schema.md").read_text()
    documented = set(re.findall(r"^\| `(?!comparison\.)([^`]+)`", schema, re.MULTILINE))
    found = set(key_paths(json.loads((path / "report.json").read_text())))
    assert sorted(found - documented) == []
    down = {f"metastability.persisting[].{key}" for key in ("what", "unit", "baseline", "after", "worse")}
    carried = {
        f"carrying.{key}" for key in ("text", *(field.name for field in fields(Carrying)))
    }  # of gateways that are not ours
    by_hand = {path for path in documented if path.startswith("windows")}  # tests/reports/by_hand
    by_hand |= {path for path in documented if path.startswith("exercise")} - {"exercise"}  # tests/reports/gameday
    assert sorted(documented - found - {"run.trace.*", "faults[].only"} - down - carried - by_hand) == []


def test_notes_on_reading_a_trace_are_in_the_report(good: RecordBuilder) -> None:
    notes = ["azure: 8,818 sessions", "1 mistakes were skipped, the first: hour.csv:3: has 2 values"]
    good.experiment["load"] = {
        "profile": "coding-agent-ci",
        "trace": {"dir": "hour.csv", "format": "azure"},
        "told": notes,
    }
    path = good.write()
    analyse(path)
    assert json.loads((path / "report.json").read_text())["run"]["trace_told"] == notes
    sentence = f"playing the recorded sessions of hour.csv (azure); {notes[0]}; {notes[1]}"
    assert sentence in (path / "report.html").read_text()


def test_gates_on_failover_and_recovery_are_decided_on_a_complete_run(good: RecordBuilder) -> None:
    failing_over(good)
    texts = ["failover.max <= 5 s", "retry_amplification <= 1.05", "time_to_recover <= 10 s", "silent_truncations == 0"]
    good.experiment["gates"] = texts
    report = analyse(good.write(), write=False)
    assert [gate["verdict"] for gate in report.data["gates"]] == ["pass"] * 4
    assert all(parse_gate(text).text == text for text in texts)
