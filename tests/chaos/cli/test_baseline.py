"""`baseline save` from folders of runs, and `baseline show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.cli import baseline as module
from chaos.cli.baseline import save_baseline, show_baselines
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest
from chaos.experiment.model import load_experiment
from reports.gating.baseline import read_baselines
from reports.shared.errors import UserError
from tests.support.gate_runs import FakePlayer, run_report
from tests.support.run_helpers import write_experiment


def gate_folder(folder: Path, name: str = "small", seeds: int = 5, **report: Any) -> Path:
    """What a gate leaves: runs of a head and of a base, and a link to one of them."""
    experiment = write_experiment(folder)
    for seed in range(1, seeds + 1):
        for side in ("", "-base"):
            path = folder / "gate" / "runs" / f"{name}{side}-{seed}"
            path.mkdir(parents=True)
            (path / "events.jsonl").touch()
            made = run_report(load_experiment(experiment, seed=seed + (100 if side else 0)), **report)
            made["run"]["name"] = name
            (path / "report.json").write_text(json.dumps(made))
    (folder / "gate" / "runs" / "latest").symlink_to(f"{name}-1")
    return folder / "gate"


def save(*what: Path | str, out: Path, repeat: int = 5) -> int:
    words = [str(one) for one in what]
    request = GateRequest(tuple(words), repeat=repeat)
    return save_baseline(words, request=request, out=out, runs=out.parent / "runs", quiet=True, words=["brownout"])


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
    player = FakePlayer(lambda one, *_: run_report(one))

    class Faked(GatePlay):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **{"play_runs": player, **more})

    monkeypatch.setattr(module, "GatePlay", Faked)
    out = tmp_path / "baseline.json"
    assert save(write_experiment(tmp_path), out=out) == 0
    assert read_baselines(out).baselines[0].seeds == (3, 4, 5, 6, 7)


def test_an_interrupted_series_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = FakePlayer(lambda one, side, number: 130 if number == 3 else run_report(one))

    class Faked(GatePlay):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **{"play_runs": player, **more})

    monkeypatch.setattr(module, "GatePlay", Faked)
    out = tmp_path / "baseline.json"
    assert save(write_experiment(tmp_path), out=out) == 130
    assert not out.exists()


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
