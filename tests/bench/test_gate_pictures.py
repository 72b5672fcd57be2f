"""Pictures of gates: what they are made of, and why one is skipped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench import gate_pictures
from bench.gate_honesty import BEGIN, END
from bench.gate_pictures import (
    Browser,
    Skipped,
    cut_at,
    failed_summary,
    honesty_markdown,
    main,
    markdown_page,
    shown,
    terminal_page,
)
from brownout.result import Result
from reports.writers.gate.summary import write_gate_summary
from tests.support.gate_results import failed_result, passed_result


def gate_folder(folder: Path, result: Result) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gate.json").write_text(json.dumps(result.to_json()))
    write_gate_summary(result, folder)
    return folder


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_markdown_is_rendered_with_tables_below_its_heading() -> None:
    page = markdown_page("## Failed\n\n| a |\n|---|\n| `1` |\n", "a <heading>")
    assert "<h2>Failed</h2>" in page
    assert "<td><code>1</code></td>" in page
    assert "<header>a &lt;heading&gt;</header>" in page
    assert "<header>" not in markdown_page("text")


def test_output_of_a_terminal_keeps_its_colours_and_its_characters() -> None:
    page = terminal_page("\x1b[31mE  1 < 2\x1b[0m\n[bold]not markup[/bold] 35%\n")
    assert "1 &lt; 2" in page
    assert "color: #ff7b72" in page
    assert "[bold]not markup[/bold] 35%" in page
    assert "\x1b" not in page


def test_paths_of_the_machine_are_not_shown(tmp_path: Path) -> None:
    assert shown(f"report: {tmp_path}/out/report.html", tmp_path) == "report: out/report.html"


def test_a_picture_ends_below_the_last_part_that_fits() -> None:
    assert cut_at(900, [500], 1600) == 900
    assert cut_at(2000, [500, 1500, 1590], 1600) == 1516
    assert cut_at(2000, [], 1600) == 1600


def test_the_tables_are_those_between_the_markers() -> None:
    text = f"| other |\n{BEGIN}\n\n**T**\n\n| a |\n|---|\n\n{END}\nafter"
    assert honesty_markdown(text) == "## Gates against a base\n\n**T**\n\n| a |\n|---|"
    with pytest.raises(Skipped, match="has no tables of gates"):
        honesty_markdown(f"| other |\n{BEGIN}\n\n- 90 runs are not played yet\n\n{END}\n")


def test_a_summary_is_only_of_a_gate_that_failed(tmp_path: Path) -> None:
    assert "brownout gate failed" in failed_summary(gate_folder(tmp_path / "failed", failed_result()))
    with pytest.raises(Skipped, match="its verdict is pass"):
        failed_summary(gate_folder(tmp_path / "passed", passed_result()))
    with pytest.raises(Skipped, match="missing"):
        failed_summary(tmp_path / "none")


def test_pictures_without_a_source_are_skipped_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    words = ["--failed", str(tmp_path / "empty"), "--history", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    assert main([*words, "--only", "summary", "--only", "history"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("summary: skipped: ")
    assert "no runs. Play them with" in lines[1]
    assert not (tmp_path / "out").exists()


def test_what_was_played_is_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played: list[list[str]] = []

    def play(command: Any, folder: Path) -> str:
        played.append(list(command))
        if "gate" in command:
            gate_folder(folder / "brownout-gate", failed_result())
        return f"E  brownout: fail\nreport: {folder.absolute()}/report.html\n1 failed"

    def picture(self: Browser, page: str, to: Path) -> Path:
        to.write_text(page)
        return to

    monkeypatch.setattr(gate_pictures, "_play", play)
    monkeypatch.setattr(Browser, "picture", picture)
    words = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path), "--only", "summary", "--only", "plugin"]
    assert main(words) == 0
    assert main(words) == 0
    assert len(played) == 2
    assert str(tmp_path) not in (tmp_path / "gate-plugin.png").read_text()
    assert main([*words, "--again"]) == 0
    assert len(played) == 4
    assert "summary: " in capsys.readouterr().out


def test_a_test_that_did_not_fail_makes_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / gate_pictures.PLUGIN_TEXT).write_text("1 passed")
    assert main(["--runs", str(tmp_path), "--out", str(tmp_path / "out"), "--only", "plugin"]) == 1
    assert "the gate of the test did not fail" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_picture_is_as_high_as_its_text(tmp_path: Path) -> None:
    short = Browser().picture(markdown_page("text"), tmp_path / "short.png")
    width, height = png_size(short)
    assert width == 2 * gate_pictures.WIDTH
    assert 50 < height < 400
