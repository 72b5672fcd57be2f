"""The benchmark of comparisons: its rows are reproducible, and a wrong word that comes too often is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.regressions import Case, cases, main, play, tables, too_many, upper_bound, wrong


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({case.name for case in cases()}) == len(cases())


def test_a_row_is_reproducible() -> None:
    case = Case("one measure", 5, "normal", 0.1, 1.0, "ttft.p95")
    assert play(case, 30) == play(case, 30)


@pytest.mark.parametrize(("size", "words"), [(0.0, ["fail"]), (1.0, ["fail", "pass"]), (2.0, ["pass"])])
def test_a_wrong_word_that_comes_too_often_is_said(size: float, words: list[str]) -> None:
    row = {"repetitions": 100, "pass": 50, "fail": 50, "inconclusive": 0}
    found = wrong(Case("one measure", 5, "normal", 0.1, size, "ttft.p95"), row)
    assert [text.rpartition(": ")[2] for text in found] == [f"{word} in 50 of 100" for word in words]
    assert wrong(Case("equal", 5), {**row, "fail": 2}) == []


def test_the_upper_bound_of_no_case_is_the_rule_of_three() -> None:
    assert upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    assert upper_bound(10, 10) == 1.0
    assert [too_many(count, 400) for count in (0, 10, 16)] == [False, False, True]


def test_stored_rows_are_printed_and_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.cells.RESULTS", tmp_path)
    few = [case for case in cases() if case.group == "never"][:2]
    monkeypatch.setattr("bench.regressions.cases", lambda: few)
    assert main(["--repetitions", "5"]) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr("bench.regressions.play", None)
    assert main(["--repetitions", "5"]) == 0
    assert capsys.readouterr().out == first
    assert "| 10% | 5 | 0.0%" in tables([{"row": few[0].name, "repetitions": 5, "fail": 0}])
