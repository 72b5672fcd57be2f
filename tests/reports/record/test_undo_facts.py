"""What a report says of the undo of each fault."""

from __future__ import annotations

import json
from pathlib import Path

from reports.analysis import analyse
from reports.explanation.words import fault_text
from reports.record.undo_facts import left_texts, undo_facts
from reports.writers.html.headline import headline_view
from tests.support.lost_pool import lost_pool_run
from tests.support.otlp_values import ZERO_NS
from tests.support.record_builder import good_run

ARMED = {"fault": "f1", "owner": "r", "undo": [{"do": "start", "process": "tpu-0"}]}
FAILED = {"fault": "f1", "owner": "r", "failed": ["status 500"], "by": "shepherd"}
HEALED = {"fault": "f1", "owner": "r", "done": True, "by": "heal"}


def write(folder: Path, *entries: object) -> None:
    (folder / "undo.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def test_a_fault_that_the_run_has_left_is_a_reason_with_its_command(tmp_path: Path) -> None:
    assert undo_facts(tmp_path, [], []) == {}
    write(tmp_path, ARMED, FAILED)
    facts = undo_facts(tmp_path, [], [])
    assert facts == {"f1": ("", "status 500")}
    [text] = left_texts(facts, {"f1": "kill on tpu-0"}, tmp_path)
    assert text == f"fault f1 (kill on tpu-0) was not reverted: status 500. Undo it by: brownout heal {tmp_path}"
    write(tmp_path, ARMED, FAILED, HEALED)
    [text] = left_texts(undo_facts(tmp_path, [], []), {}, tmp_path)
    assert text.endswith("status 500; undone later by brownout heal")
    write(tmp_path, ARMED, {**HEALED, "by": "shepherd"})
    assert left_texts(undo_facts(tmp_path, [], []), {}, tmp_path) == []


def test_an_undo_file_that_cannot_be_read_or_was_removed_fails_the_run_as_at_its_end(tmp_path: Path) -> None:
    folder = lost_pool_run(tmp_path).write()
    before = analyse(folder).verdict
    assert before.verdict != "failed"
    (folder / "undo.jsonl").write_text("garbage}\n")
    report = analyse(folder)
    assert (report.verdict.verdict, report.exit_code) == ("failed", 5)
    assert report.verdict.why[:2] == (
        "whether every fault was reverted is not known: undo.jsonl:1: not JSON: Expecting value at character 1",
        "whether every fault was reverted is not known: undo.jsonl does not list f1",
    )
    (folder / "undo.jsonl").unlink()
    assert analyse(folder).verdict.why[0].endswith("undo.jsonl does not list f1")
    (folder / "undo.jsonl").mkdir()
    assert analyse(folder).verdict.why[0].endswith("undo.jsonl cannot be read (not a regular file)")


def test_a_run_without_a_fault_needs_no_undo_file(tmp_path: Path) -> None:
    folder = good_run(tmp_path).write()
    (folder / "undo.jsonl").unlink(missing_ok=True)
    assert analyse(folder).verdict.verdict == "pass"


def test_a_run_that_left_a_fault_has_failed_in_every_report(tmp_path: Path) -> None:
    folder = lost_pool_run(tmp_path).write()
    before = analyse(folder)
    fault = before.data["faults"][0]["id"]
    assert (before.verdict.verdict != "failed", before.data["faults"][0]["undone_by"]) == (True, "runner")
    entries = [{**ARMED, "fault": fault}, {**FAILED, "fault": fault}]
    write(folder, *entries)
    report = analyse(folder)
    assert (report.verdict.verdict, report.exit_code) == ("failed", 5)
    assert "was not reverted: status 500" in report.verdict.why[0]
    assert report.data["faults"][0]["left"] == "status 500"
    assert "NOT REVERTED" in headline_view(report.data)["faults"][0]["when"]
    assert "NOT REVERTED" in fault_text(report.data["faults"][0])
    for name in ("summary.md", "report.html", "junit.xml"):
        assert "was not reverted: status 500" in (folder / name).read_text(), name
    write(folder, entries[0], {**HEALED, "fault": fault, "by": "shepherd"})
    report = analyse(folder)
    assert report.verdict.verdict == before.verdict.verdict
    assert (report.data["faults"][0]["undone_by"], report.data["faults"][0]["left"]) == ("shepherd", "")


def test_a_fault_that_is_left_comes_before_an_interruption(tmp_path: Path) -> None:
    folder = lost_pool_run(tmp_path).write()
    with (folder / "events.jsonl").open("a") as events:
        events.write(json.dumps({"at": ZERO_NS, "type": "run", "event": "interrupted", "why": "SIGINT"}) + "\n")
    assert analyse(folder, write=False).exit_code == 130
    write(folder, ARMED)
    assert analyse(folder, write=False).exit_code == 5
