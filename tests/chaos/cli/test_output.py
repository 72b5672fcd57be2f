"""Where runs are kept."""

from __future__ import annotations

from pathlib import Path

from chaos.cli.output import Output


def test_a_single_run_is_the_named_folder_itself(tmp_path: Path) -> None:
    assert Output(Path("runs"), out=tmp_path, single=True).place("x") == tmp_path


def test_several_runs_get_numbers_that_are_free(tmp_path: Path) -> None:
    output = Output(Path("runs"), out=tmp_path, suffix="-base")
    (tmp_path / "x-base-1").mkdir()
    assert output.place("x") == tmp_path / "x-base-2"


def test_without_a_named_folder_the_run_names_its_own() -> None:
    assert Output(Path("runs")).place("x") is None
