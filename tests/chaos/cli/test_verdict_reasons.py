"""The verdict on the terminal: gates, failed calls by reason, the fault, the sentence, and what helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.cli.verdict import report_run
from tests.support.explained import lose
from tests.support.foreign_records import ForeignRecord, foreign_record
from tests.support.record_builder import RecordBuilder


def printed(record: RecordBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.delenv("COLUMNS", raising=False)
    record.experiment |= {"gates": ["sessions_lost == 0"], "description": "A pool fails.\nWhat helps: migration."}
    report_run(record.write())
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def lost(tmp_path: Path) -> RecordBuilder:
    record = RecordBuilder(tmp_path / "my [b] runs" / "run")
    record.phases()
    record.fault()
    for index in range(3):
        lose(record, f"s{index}", outcome="truncated", message="the connection closed \x1b[2J", status=200)
    return record


def test_a_failed_run_says_what_broke_and_why(
    lost: RecordBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(lost, capsys, monkeypatch)
    text = "\n".join(lines)
    assert "FAIL  1 of 1 gates failed" in lines
    assert (
        "3 sessions lost: each had a stream on tpu-0 when the fault kill stopped it, and nothing carried it on."
        in lines
    )
    assert "what helps: migration." in lines
    assert "fault: kill on tpu-0, tpu-1, from 20 s to 30 s; 3 calls met it, 3 were interrupted, 0 ended ok" in lines
    assert "  3 calls, 3 sessions lost: truncated with status 200 on the pool tpu in the fault phase: " in text
    assert "\x1b" not in text


def test_commands_and_paths_can_be_copied_from_a_log(
    lost: RecordBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(lost, capsys, monkeypatch)
    folder = lost.path
    assert f"      example: brownout trace '{folder}' --call 's0/main#0'" in lines
    assert lines[-1] == f"report: {folder / 'report.html'}"


@pytest.fixture
def foreign(tmp_path: Path) -> ForeignRecord:
    record = foreign_record(tmp_path / "run")
    record.load_gauges()
    record.steady(40)
    return record


def test_a_replica_without_a_call_in_the_baseline_is_named(
    foreign: ForeignRecord, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "gpu-1 got no call in the baseline: does the gateway have it as an upstream?"
    assert asked in printed(foreign, capsys, monkeypatch)
    assert asked in (foreign.path / "summary.md").read_text()


def test_other_upstreams_of_a_gateway_are_the_verdict_and_its_advice(
    foreign: ForeignRecord, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        foreign.call(f"e{number}", 0, 6.0 + number, ups=[])
        foreign.session(f"e{number}", 6.0 + number, 7.0 + number)
    text = " ".join(printed(foreign, capsys, monkeypatch))
    assert "INCONCLUSIVE" in text
    assert "10 of 50 calls that ended ok came to no replica of this run: the gateway has other upstreams" in text
    assert "what helps: give the gateway the replicas of this run as its upstreams, and only these" in text
