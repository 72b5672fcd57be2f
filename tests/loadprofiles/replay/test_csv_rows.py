from __future__ import annotations

from pathlib import Path

import pytest

from loadprofiles.replay.csv_rows import MAX_TOKENS, number, read_rows, tokens
from loadprofiles.replay.mistakes import Mistakes
from tests.support.recordings import lines


def read(folder: Path, rows: list[str]) -> tuple[list[tuple[int, list[str | None]]], list[tuple[int, str]]]:
    mistakes = Mistakes()
    path = lines(folder, "a.csv", rows)
    found = [(line, list(row)) for line, row in read_rows(path, ("In", "Out"), ("Id",), mistakes)]
    return found, [(problem.line, problem.what) for problem in mistakes.first]


def test_columns_are_found_by_name_and_a_missing_optional_one_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, ["out,x, IN ", '1,"a, b",2'])[0] == [(2, ["2", "1", None])]
    assert read(tmp_path, ["id,in,out", "s,2,1"])[0] == [(2, ["2", "1", "s"])]


def test_a_missing_column_and_rows_of_another_length_are_mistakes(tmp_path: Path) -> None:
    assert read(tmp_path, ["in,other"]) == ([], [(1, 'there is no column "Out"; the columns are: in, other')])
    rows, mistakes = read(tmp_path, ["in,out", "1,2", "1"])
    assert [line for line, _ in rows] == [2]
    assert mistakes == [(3, "has 1 values, but the header has 2 columns")]


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e300", "4_8", "many", "", "9" * 5000, None])
def test_text_that_is_not_a_number_in_range_is_none(text: str | None) -> None:
    assert number(text, 1e11) is None
    assert tokens(text) is None


def test_tokens_are_whole_numbers_up_to_a_bound() -> None:
    assert [tokens(text) for text in ("12", "12.0", "12.5", str(MAX_TOKENS + 1))] == [12, 12, None, None]
