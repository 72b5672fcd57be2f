"""The end of a run says truthfully whether every fault was reverted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.cli import play as module
from chaos.cli.output import Output
from chaos.cli.play import play
from chaos.experiment.model import load_experiment
from chaos.runner.early_end import Ended
from chaos.runner.record_writer import RunFolder
from chaos.supervision.undo import UndoFile
from tests.support.run_helpers import write_experiment

ENDS = [
    None,
    Ended("interrupted", "interrupted by SIGINT", 130),
    Ended("aborted", "guardrail: x", 4),
    Ended("failed", "the shepherd has exited", 5),
]


def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ended: Ended | None, *, disarmed: bool) -> int:
    """Play an experiment whose run only arms a fault and ends."""

    async def run(experiment: object, folder: RunFolder, *_: object) -> tuple[Ended | None, None]:
        file = UndoFile(folder.undo, folder.path.name)
        file.arm("f1", [{"do": "lapse", "process": "locust"}])
        folder.events.write("fault", stage="injected", id="f1", kind="surge", targets=["load"])
        if disarmed:
            file.disarm("f1")
        if ended is not None:
            folder.events.write("run", event=ended.event, why=ended.why)
        folder.events.write("phase", phase="end")
        return ended, None

    monkeypatch.setattr(module, "_run", run)
    experiment = load_experiment(str(write_experiment(tmp_path)))
    return play(Output(tmp_path / "runs", quiet=True), experiment, command="brownout run x").exit_code


def only_run(tmp_path: Path) -> Path:
    """The folder of the run, to which `latest` leads."""
    link = tmp_path / "runs" / "latest"
    [folder] = [path for path in link.parent.iterdir() if path != link]
    assert link.resolve() == folder.resolve()
    return folder


@pytest.mark.parametrize("ended", ENDS, ids=lambda ended: ended.event if ended else "verdict")
def test_a_run_that_left_a_fault_says_so_last_and_exits_with_5(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], ended: Any
) -> None:
    assert played(monkeypatch, tmp_path, ended, disarmed=False) == 5
    output, errors = capsys.readouterr()
    folder = only_run(tmp_path)
    assert "every fault was reverted" not in output + errors
    assert "1 of 1 faults not reverted: f1 (surge on load)" in output
    analysed = (folder / "report.json").is_file()
    assert analysed == (ended is None or ended.event != "interrupted"), "an interrupted run ends at once"
    assert errors.splitlines() == [
        "NOT REVERTED: 1 of 1 faults of this run",
        "    f1 (surge on load): the undo file does not say that it was undone",
        f"    undo it, and see what is left: brownout heal {folder}",
    ]


@pytest.mark.parametrize("ended", ENDS[1:], ids=lambda ended: ended.event)
def test_every_fault_was_reverted_is_said_where_it_is_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], ended: Ended
) -> None:
    assert played(monkeypatch, tmp_path, ended, disarmed=True) == ended.exit_code
    output, errors = capsys.readouterr()
    assert "every fault was reverted" in output
    assert errors == ""


@pytest.mark.parametrize(("disarmed", "code"), [(True, 130), (False, 5)])
def test_an_interrupt_in_the_analysis_ends_it_and_says_how_to_make_the_reports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], disarmed: bool, code: int
) -> None:
    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "print_verdict", interrupted)
    assert played(monkeypatch, tmp_path, None, disarmed=disarmed) == code
    output, errors = capsys.readouterr()
    folder = only_run(tmp_path)
    how = "every fault was reverted" if disarmed else "1 of 1 faults not reverted: f1 (surge on load)"
    assert output.startswith(f"interrupted in the analysis: {how}")
    assert output.endswith(f", and the record is complete; its reports: brownout report {folder}\n")
    assert ("NOT REVERTED" in errors) is not disarmed


def test_a_run_that_is_interrupted_while_it_borrows_replicas_leaves_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def interrupted(*_: object) -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(module, "borrowed_replicas", interrupted)
    with pytest.raises(KeyboardInterrupt):
        played(monkeypatch, tmp_path, None, disarmed=True)
    assert list((tmp_path / "runs").iterdir()) == []
    assert capsys.readouterr().err == "the run has not begun: nothing was recorded\n"
