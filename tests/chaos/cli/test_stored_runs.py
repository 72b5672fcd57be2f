"""Which runs of a folder a baseline is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chaos.cli.scale_ramp import RAMP_TITLE
from chaos.cli.stored_runs import names_folder, stored_reports
from chaos.experiment.model import load_experiment
from reports.shared.errors import UserError
from tests.support.gate_runs import gate_folder, run_report, write_run
from tests.support.run_helpers import write_experiment


def seeds(*folders: Path) -> list[int]:
    return sorted(report["run"]["seed"] for report in stored_reports(folders))


def write(folder: Path, names: Sequence[str], **run: Any) -> None:
    """A folder of runs, with these names and seeds from 0."""
    experiment = write_experiment(folder.parent)
    for seed, name in enumerate(names):
        report = run_report(load_experiment(experiment, seed=seed))
        report["run"] |= {"name": name, **run}
        write_run(folder / f"{name}-{seed}", report)


@pytest.mark.parametrize("name", ["small", "cold-base-load"])
def test_the_head_of_a_gate_is_found_whatever_its_experiment_is_called(tmp_path: Path, name: str) -> None:
    gate = gate_folder(tmp_path, name)
    assert seeds(gate) == seeds(gate / "runs") == seeds(gate, gate / "runs" / f"{name}-1") == [1, 2, 3, 4, 5]
    assert seeds(*(path for path in (gate / "runs").glob(f"{name}-[1-5]"))) == [1, 2, 3, 4, 5]
    with pytest.raises(UserError, match="the other side of a gate"):
        stored_reports([gate / "runs" / f"{name}-base-1"])


def test_runs_of_an_experiment_with_base_in_its_name_are_stored(tmp_path: Path) -> None:
    write(tmp_path / "all", ["cold-base-load", "cold-base-load"])
    assert seeds(tmp_path / "all") == [0, 1]


def test_a_ramp_is_no_second_experiment(tmp_path: Path) -> None:
    write(tmp_path / "all", ["small", "full-scale"])
    write(tmp_path / "ramps", ["small-scale"], title=f"A small one {RAMP_TITLE}")
    (tmp_path / "ramps" / "small-scale-0").rename(tmp_path / "all" / "small-scale-1")
    assert {report["run"]["name"] for report in stored_reports([tmp_path / "all"])} == {"small", "full-scale"}


def test_twins_are_left_out_and_nothing_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "all", ["small-twin"], twin_of="small-1")
    with pytest.raises(UserError, match="no run here can be stored: they are twins"):
        stored_reports([tmp_path / "all"])


def test_a_gate_without_a_run_that_ended_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run of its head"):
        stored_reports([gate_folder(tmp_path, seeds=0)])
    (tmp_path / "gate" / "gate.json").write_text("{")
    with pytest.raises(UserError, match=r"gate\.json"):
        stored_reports([tmp_path / "gate"])


def test_a_bare_name_is_a_folder_only_with_runs_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lose-tpu-pool").mkdir()
    assert not names_folder("lose-tpu-pool")
    assert names_folder("./lose-tpu-pool")
    assert not names_folder("./missing")
    gate_folder(tmp_path)
    assert names_folder("gate")
    write(tmp_path / "all", ["small"])
    assert names_folder("all")
