"""`baseline save` of folders and of experiments that are played, and `baseline show`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.cli import baseline as module
from chaos.cli.baseline import save_baseline, show_baselines
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest
from chaos.experiment.model import Experiment
from reports.gating.baseline import read_baselines
from reports.shared.errors import UserError
from tests.support.gate_runs import FakePlayer, gate_folder, run_report
from tests.support.run_helpers import write_experiment


def save(*what: Path | str, out: Path, **options: Any) -> int:
    words = [str(one) for one in what]
    request = GateRequest(tuple(words), **options)
    return save_baseline(words, request=request, out=out, runs=out.parent / "runs", quiet=True, words=["brownout"])


def play(monkeypatch: pytest.MonkeyPatch, make: Callable[..., dict[str, Any] | int]) -> FakePlayer:
    """Let each run that is played leave what `make(experiment, side, number)` gives."""
    player = FakePlayer(make)

    class Faked(GatePlay):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **{"play_runs": player, **more})

    monkeypatch.setattr(module, "GatePlay", Faked)
    return player


def test_the_runs_of_the_head_of_a_gate_are_stored_once_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "baseline.json"
    assert save(gate_folder(tmp_path), out=out) == 0
    [stored] = read_baselines(out).baselines
    assert stored.seeds == (1, 2, 3, 4, 5)
    assert "small on small: 5 runs (seeds 1, 2, 3, 4, 5)" in capsys.readouterr().out
    assert show_baselines(out) == 0
    assert "ttft.p95" in capsys.readouterr().out


def test_the_file_keeps_the_baselines_of_other_experiments(tmp_path: Path) -> None:
    out = tmp_path / "baseline.json"
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        assert save(gate_folder(folder, name), out=out) == 0
    assert [one.conditions.experiment for one in read_baselines(out).baselines] == ["a", "b"]


def test_experiments_are_played_and_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, lambda one, *_: run_report(one))
    out = tmp_path / "baseline.json"
    assert save(write_experiment(tmp_path), out=out) == 0
    assert read_baselines(out).baselines[0].seeds == (3, 4, 5, 6, 7, 8)


def test_an_interrupted_series_stores_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch, lambda one, side, number: 130 if number == 3 else run_report(one))
    out = tmp_path / "baseline.json"
    assert save(write_experiment(tmp_path), out=out) == 130
    assert not out.exists()
    assert f"interrupted: {out} was not written. The runs are kept in {tmp_path}" in capsys.readouterr().err


def test_a_run_that_failed_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "baseline.json"
    assert save(gate_folder(tmp_path), out=out) == 0
    before = out.read_bytes()
    play(monkeypatch, lambda *_: 5)
    assert save(write_experiment(tmp_path), out=out) == 5
    assert out.read_bytes() == before
    assert f"a run failed: {out} was not changed" in capsys.readouterr().err


def test_too_few_played_runs_are_inconclusive_and_others_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def late(one: Experiment, side: str, number: int) -> dict[str, Any]:
        return run_report(one, severe="the machine was late" if one.name == "busy" and number in (2, 3) else "")

    play(monkeypatch, late)
    for name in ("busy", "quiet"):
        (tmp_path / name).mkdir()
    paths = [write_experiment(tmp_path / name) for name in ("busy", "quiet")]
    for path in paths:
        path.write_text(path.read_text().replace("name: small", f"name: {path.parent.name}"))
    out = tmp_path / "baseline.json"
    assert save(*paths, out=out) == 3
    assert [one.conditions.experiment for one in read_baselines(out).baselines] == ["quiet"]
    said = capsys.readouterr().err
    [played] = (tmp_path / "runs").glob("*baseline*")
    assert "not stored: busy: 4 of 6 runs count" in said
    assert f"brownout baseline save {played} MORE --out {out}" in said


def test_a_fitted_load_is_refused_before_anything_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = play(monkeypatch, lambda one, *_: run_report(one))
    with pytest.raises(UserError, match=r"--scale auto: .* Give a factor"):
        save(write_experiment(tmp_path), out=tmp_path / "baseline.json", scale="auto")
    with pytest.raises(UserError, match="tolerance 'nonsense'"):
        save(write_experiment(tmp_path), out=tmp_path / "baseline.json", tolerances=("nonsense",))
    assert player.turns == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"stack": "naive", "scale": "0.5"}, "--stack, --scale: "),
        ({"repeat": 5, "seed": 0}, "--seed, --repeat: "),
        ({"retries": 1}, "--retry-inconclusive: "),
        ({"gateway": "nginx"}, "--gateway: "),
        ({"target": Path("x")}, "--target: "),
    ],
)
def test_options_about_playing_are_refused_for_folders(tmp_path: Path, options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=f"{named}.*nothing is played"):
        save(gate_folder(tmp_path), out=tmp_path / "baseline.json", **options)


def test_tolerances_and_the_measures_of_the_played_gates_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_gate(one: Experiment, *_: object) -> dict[str, Any]:
        report = run_report(one)
        return {**report, "gates": [*report["gates"], {**report["gates"][0], "text": "ttft.p99 in fault <= 9s"}]}

    play(monkeypatch, with_gate)
    out = tmp_path / "baseline.json"
    assert save(write_experiment(tmp_path), out=out, tolerances=("ttft.p95=50%",)) == 0
    stored = {(one.measure, one.phase): one for one in read_baselines(out).baselines[0].tolerances}
    assert (stored["ttft.p95", None].size, stored["ttft.p95", None].typed) == (0.5, True)
    assert not stored["ttft.p99", "fault"].judged


def test_gates_that_failed_in_stored_runs_are_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert save(gate_folder(tmp_path, lost=2), out=tmp_path / "baseline.json") == 0
    assert "gates failed in 5 of the 5 runs that are stored (sessions_lost == 0)" in capsys.readouterr().err
    (tmp_path / "good").mkdir()
    assert save(gate_folder(tmp_path / "good"), out=tmp_path / "baseline.json") == 0
    assert "gates failed" not in capsys.readouterr().err


def test_a_folder_without_runs_does_not_hide_the_experiment_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lose-tpu-pool").mkdir()
    player = play(monkeypatch, lambda one, *_: run_report(one))
    assert save("lose-tpu-pool", out=tmp_path / "baseline.json") == 0
    assert len(player.turns) == 6


@pytest.mark.parametrize(("seeds", "report"), [(4, {}), (5, {"severe": "the machine was late"})])
def test_too_few_sound_runs_are_refused_and_the_file_stays(tmp_path: Path, seeds: int, report: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="at least 5"):
        save(gate_folder(tmp_path, seeds=seeds, **report), out=tmp_path / "baseline.json")
    assert not (tmp_path / "baseline.json").exists()


def test_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    folder = gate_folder(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        save(folder, out=tmp_path / "no" / "baseline.json")
    with pytest.raises(UserError, match="not both"):
        save(folder, "lose-tpu-pool", out=tmp_path / "baseline.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no run with a report"):
        save(tmp_path / "empty", out=tmp_path / "baseline.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(UserError, match=r"broken\.json"):
        save(folder, out=tmp_path / "broken.json")
