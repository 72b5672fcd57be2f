"""The benchmark of repeated runs: verdicts are rarely wrong, and it fails if they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import repeats
from bench.repeats import CASES, Case, main, play_repeat, play_series, problems, upper_bound
from reports.gating import between_runs


def problems_of(case: Case, row: dict[str, object], repetitions: int) -> list[str]:
    whole = {"kind": case.kind, "truth": case.truth, "spread": case.spread, "repetitions": repetitions, **row}
    return problems(whole)


@pytest.mark.parametrize(
    ("case", "runs"),
    [(Case("share", 0.9, 0.02), 5), (Case("time", 1.0, 0.1), 5), (Case("percentile", 0.95, 0.02), 3)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_verdicts_over_several_runs_are_rarely_wrong(case: Case, runs: int) -> None:
    row = play_repeat(case, runs, 80)
    assert problems_of(case, row, 80) == []
    assert row["covered"] >= 0.9


def test_runs_that_differ_are_decided_where_the_limit_is_far_away() -> None:
    assert play_repeat(Case("time", 1.0, 0.04), 5, 50)["decided"] >= 0.9


def test_a_single_run_does_not_know_how_far_runs_differ() -> None:
    row = play_repeat(Case("share", 0.9, 0.1), 1, 150)
    assert row["covered"] < 0.6


def test_a_count_passes_as_often_as_no_run_of_the_series_fails() -> None:
    row = play_repeat(Case("count", 0.2, 0.0), 3, 300)
    assert row["false_passes"] == pytest.approx(0.8**3, abs=0.09)


def test_looking_after_each_run_is_rarely_wrong_and_decides() -> None:
    for case in (Case("time", 1.0, 0.1), Case("share", 0.9, 0.02)):
        row = play_series(case, 20)
        assert problems_of(case, row, 20) == []
        assert row["decided"] >= 0.9
        assert 2 <= row["mean_runs"] <= 8


def test_runs_that_are_taken_as_alike_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(between_runs, "_half", lambda points, least, level: least)
    case = Case("time", 1.0, 0.1)
    assert problems_of(case, play_repeat(case, 3, 60), 60) != []


def test_the_bound_of_a_share_is_clopper_and_pearsons() -> None:
    assert upper_bound(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert upper_bound(5, 5) == 1.0


def test_the_rows_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_stored_rows_are_not_simulated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{repeats.BEGIN}\nold\n{repeats.END}\nafter\n")
    monkeypatch.setattr(repeats, "PAGE", page)
    options = ["--rows", "count 0.5", "--repetitions", "20", "--results", str(tmp_path / "rows.jsonl")]
    main(options)
    monkeypatch.setattr(repeats, "play_repeat", lambda *_: pytest.fail("simulated again"))
    main([*options, "--write"])
    assert capsys.readouterr().out.count("| 50%") == 8
    assert page.read_text().startswith(f"before\n{repeats.BEGIN}\n\n| measure |")
    assert page.read_text().endswith(f"{repeats.END}\nafter\n")
