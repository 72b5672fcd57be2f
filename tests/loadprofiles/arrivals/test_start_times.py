"""Files of recorded start times: lines or a CSV column, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadprofiles.arrivals.start_times import read_start_times
from reports.shared.errors import InvalidFile


def write(folder: Path, text: str) -> Path:
    path = folder / "starts.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "column", "times"),
    [
        ("0.0\n0.35\n\n# a pause\n2.1\n", None, (0.0, 0.35, 2.1)),
        ("Timestamp,Model\n5,ChatGPT\n45,GPT-4\n", None, (5.0, 45.0)),
        ("Model,Timestamp\nChatGPT,5\nGPT-4,45\n", "Timestamp", (5.0, 45.0)),
        (
            "TIMESTAMP,ContextTokens\n2023-11-16 18:17:03.9799600,374\n2023-11-16 18:17:05.0319600,396\n",
            None,
            (0.0, 1.052),
        ),
        ("\ufeff7\n", None, (7.0,)),
    ],
)
def test_start_times_are_read_from_lines_or_a_column(
    tmp_path: Path, text: str, column: str | None, times: tuple[float, ...]
) -> None:
    assert read_start_times(write(tmp_path, text), column) == pytest.approx(list(times))


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("1\ntwo\n3\n2\n-5\n", None, [(2, '"two" is not a time'), (4, "2 is before the time"), (5, "-5 is before")]),
        ("-1\n", None, [(1, "-1 is before the load's start")]),
        ("t,model\n1,a\n,b\nnan,c\n", None, [(3, '"" is not a time'), (4, '"nan" is not a time')]),
        ("when,model\n1,a\n", "wen", [(1, 'has no column "wen"')]),
        ("# nothing\n\n", None, [(0, "has no start times")]),
        ("1\n2000-01-01\n1999-01-01\n", None, [(2, "2000-01-01 is before"), (3, "1999-01-01 is before")]),
    ],
)
def test_every_mistake_is_reported_with_its_line(
    tmp_path: Path, text: str, column: str | None, expected: list[tuple[int, str]]
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InvalidFile) as caught:
        read_start_times(path, column)
    found = caught.value.problems
    assert [(problem.file, problem.line) for problem in found] == [(str(path), line) for line, _ in expected]
    for problem, (_, says) in zip(found, expected, strict=True):
        assert says in problem.what


def test_at_most_20_mistakes_are_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as caught:
        read_start_times(write(tmp_path, "no\n" * 1000))
    assert len(caught.value.problems) == 20
