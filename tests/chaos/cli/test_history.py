"""`brownout history`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from chaos.cli.history import history_renderable, print_history
from reports.shared.errors import UserError
from reports.trend.history import history
from tests.support.run_helpers import brownout
from tests.support.trend_runs import write_history, write_run


def shown(folder: Path, last: int = 5) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(history_renderable(history([folder]), last=last))
    return capture.get()


def test_the_command_prints_the_change_and_writes_the_page(tmp_path: Path) -> None:
    write_history(tmp_path / "runs", 24, lambda number: {"ttft.p95": 2.0 if number >= 16 else 1.0})
    done = brownout("history", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--last", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert "worse    ttft.p95: " in done.stdout
    text = "".join(done.stdout.split())  # long paths are wrapped
    assert str(tmp_path / "runs" / "run-016") in text
    assert f"history:{tmp_path / 'out' / 'history.html'}" in text
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["history.html", "history.json", "history.md"]


def test_a_folder_without_a_run_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no run with a report\.json is here\. Name the folder of --runs"):
        print_history([tmp_path], measures=[], last=1, out=None, as_json=False)


def test_json_is_the_whole_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_history(tmp_path, 3, lambda number: {})
    assert print_history([tmp_path], measures=[], last=1, out=None, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == history([tmp_path])


def test_the_table_fits_into_80_columns_and_lists_the_newest_runs(tmp_path: Path) -> None:
    write_history(tmp_path, 24, lambda number: {"ttft.p95": 2.0 if number >= 21 else 1.0})
    text = shown(tmp_path)
    assert "measure                     newest  last 5 runs" in text
    assert "|▇" in text or "|█" in text or "|▆" in text
    assert text.count("04:30  ") == 5
    assert text.index("2026-10-24 04:30  ") < text.index("2026-10-23 04:30  ")


def test_skipped_reports_are_named_and_counted(tmp_path: Path) -> None:
    write_history(tmp_path, 2, lambda number: {})
    for number in range(7):
        write_run(tmp_path / f"old-{number}", {"schema": 1})
    text = " ".join(shown(tmp_path).split())
    assert "7 reports were skipped" in text
    assert "report version 1; this brownout reads version 3" in text
    assert "all are in the JSON: --json" in text


def test_old_changes_that_did_not_last_are_only_counted(tmp_path: Path) -> None:
    write_history(tmp_path, 60, lambda number: {"goodput": 0.5 if 15 <= number < 28 else 1.0})
    text = shown(tmp_path)
    assert "1 older changes did not last" in text
    assert text.count("goodput: ") == 1


def test_an_out_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    write_history(tmp_path / "runs", 1, lambda number: {})
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match=r"cannot be written .* Name another folder"):
        print_history([tmp_path / "runs"], measures=[], last=1, out=tmp_path / "out", as_json=False)
