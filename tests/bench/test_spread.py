"""The A/A pairs of finished runs, and the file of their spreads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import spread
from reports.comparison.spread import read_spreads
from tests.support.compared_reports import compared_report


def report(seed: int, half: int, **changes: Any) -> dict[str, Any]:
    started = f"2026-01-01T00:{seed:02}:{half:02}"
    values = {"ttft.p95": 0.4 + 0.01 * half, "sessions_lost": 0.0}
    return compared_report(values, seed=seed, started_at=started, **changes)[1]


def test_the_runs_of_a_seed_are_paired_as_they_were_played() -> None:
    twin = {"name": "lose-tpu-pool-twin", "twin_of": "x"}
    reports = [report(seed, half, **kind) for seed in (1, 2) for half in (1, 0) for kind in ({}, twin)]
    found = spread.groups([*reports, report(3, 0), report(1, 2, doubts=("busy",))])
    assert {kind: len(pairs) for kind, pairs in found.items()} == {
        "lose-tpu-pool on well": 2,
        "lose-tpu-pool on well without its faults": 2,
    }
    first, second = found["lose-tpu-pool on well"][0]
    assert (first["run"]["started_at"], second["run"]["started_at"]) == ("2026-01-01T00:01:00", "2026-01-01T00:01:01")


def test_a_run_that_did_not_end_is_left_out() -> None:
    broken = report(1, 0)
    broken["phases"][-1]["finished"] = False
    assert spread.groups([broken, report(1, 1)]) == {}


def test_the_file_is_made_from_finished_runs_and_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = {Path(f"{seed}-{half}"): report(seed, half) for seed in range(5) for half in (0, 1)}
    monkeypatch.setattr(spread, "read_report", lambda folder: (folder, reports[folder]))
    out = tmp_path / "spread.json"
    assert spread.main(["--out", str(out), "--from", *map(str, reports)]) == 0
    (stored,) = read_spreads(out)
    assert (stored.pairs, stored.seeds) == (5, [0, 1, 2, 3, 4])
    assert json.loads(out.read_text())["schema"] == 1
    assert "lose-tpu-pool on well: 5 pairs, 2 measures" in capsys.readouterr().out


def test_too_few_pairs_make_no_file_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spread, "read_report", lambda folder: (folder, report(1, int(folder.name))))
    assert spread.main(["--out", str(tmp_path / "spread.json"), "--from", "0", "1"]) == 1
    assert "lose-tpu-pool on well: a spread needs at least 5 pairs; there are 1" in capsys.readouterr().err
    assert not (tmp_path / "spread.json").exists()
