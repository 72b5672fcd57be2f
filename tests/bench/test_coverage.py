"""The coverage benchmark: intervals hold their promise, and it fails if they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import coverage
from bench.coverage import CASES, Case, main, play, problems
from reports.history import intervals
from reports.history.statistics import FloatArray


@pytest.mark.parametrize(
    "case",
    [
        Case("rate", 30, 6, 0.97, 1.0),
        Case("rate", 70, (1, 12), 0.95, 0.2),
        Case("percentile", 70, 6, 0.95, 0.2),
        Case("percentile", 12, 6, 0.95, 1.0),
        Case("repeats", 70, 6, 0.001, 0.0),
        Case("goodput", 70, 6, 1.0, 0.0),
    ],
    ids=lambda case: case.name,
)
def test_intervals_of_simulated_runs_contain_the_truth(case: Case) -> None:
    row = play(case, 25)
    assert problems(row) == []
    assert row["beyond"] <= 0.1


def test_few_sessions_leave_a_percentile_undecided_and_check_says_so_before() -> None:
    row = play(Case("percentile", 10, 8, 0.95, 1.0), 20)
    assert (row["decided"], row["check_says_yes"], row["width"]) == (0.0, False, None)


def test_an_interval_that_takes_calls_as_independent_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def independent(hits: FloatArray, offered: FloatArray) -> float:
        return float(offered.sum())

    monkeypatch.setattr(intervals, "effective_samples", independent)
    row = play(Case("rate", 30, 6, 0.97, 1.0), 80)
    assert [problem.split()[0] for problem in problems(row)] == ["covered", "false"]


def test_the_rows_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_stored_rows_are_not_simulated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--rows", "rate 40x5", "--repetitions", "30", "--results", str(tmp_path / "rows.jsonl")]
    main(options)
    monkeypatch.setattr(coverage, "play", lambda *_: pytest.fail("simulated again"))
    main(options)
    assert capsys.readouterr().out.count("| rate") == 2
