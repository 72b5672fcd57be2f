"""`brownout compare`: invalid folders. Real comparisons: `test_side_by_side.py`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from chaos.cli.compare import comparison_renderable
from reports.comparison.side_by_side import compare
from tests.support.compared_reports import compared_report
from tests.support.run_helpers import brownout


def test_a_folder_without_a_record_is_an_error_with_exit_code_2(tmp_path: Path) -> None:
    done = brownout("compare", str(tmp_path), str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "no record of a run" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_invalid_file_of_spreads_is_an_error_with_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "spread.json"
    path.write_text("{}")
    done = brownout("compare", str(tmp_path), str(tmp_path / "nothing"), "--spread", str(path))
    assert done.returncode == 2
    assert "is not a file of spreads" in done.stderr


def test_the_terminal_shows_the_differences_of_two_sides() -> None:
    report = {"verdict": {"verdict": "pass", "exit_code": 0, "why": []}, "steady_state": [], "faults": []}
    timeline = {"timeline": {"seconds": 0, "offered": [], "good": []}}
    runs = []
    for seed in range(5):
        for stack, lost in (("well", 0), ("naive", 20)):
            values = {"calls": 400.0, "sessions_lost": lost}
            folder, part = compared_report(values, stack=stack, seed=seed, folder=Path(f"runs/{stack}{seed}"))
            runs.append((folder, {**part, **report, **timeline}))
    console = Console(width=160)
    with console.capture() as capture:
        console.print(comparison_renderable(compare(runs)))
    assert "naive compared with well: 5 pairs of runs" in capture.get()
    assert "sessions_lost  run" in capture.get()
    with console.capture() as capture:
        console.print(comparison_renderable(compare(runs[:2])))
    assert "one pair cannot tell a difference from chance" in capture.get()
