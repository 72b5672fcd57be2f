"""A summary is cut by whole sections, the least important ones first."""

from __future__ import annotations

from reports.writers.gate.sections import Rank, Section, fit


def test_all_sections_are_there_where_they_fit() -> None:
    text = fit([Section(Rank.VERDICT, "verdict", "one"), Section(Rank.RUNS, "runs", "two")])
    assert text == "one\n\ntwo\n"


def test_the_least_important_sections_are_left_out_and_named() -> None:
    sections = [
        Section(Rank.VERDICT, "the verdict", "verdict"),
        Section(Rank.BROKEN, "what broke", "broken"),
        Section(Rank.RUNS, "runs", "r" * 3_000),
        Section(Rank.TABLE, "tables", "t" * 3_000),
        Section(Rank.RUNS, "runs", "s" * 3_000),
    ]
    text = fit(sections, limit=8_000)
    assert "r" * 3_000 not in text
    assert "s" * 3_000 not in text
    assert "t" * 3_000 in text
    assert text.index("broken") < text.index("ttt") < text.index("Left out")
    assert "runs (2 times). All of it is in `gate.json`." in text


def test_of_one_rank_the_last_sections_are_left_out_first() -> None:
    sections = [Section(Rank.RUNS, f"part {number}", f"{number}" * 1_000) for number in range(1, 9)]
    text = fit(sections, limit=6_000)
    assert "1" * 1_000 in text
    assert "8" * 1_000 not in text
    assert len(text.encode()) < 6_000


def test_the_limit_counts_bytes_and_not_characters() -> None:
    sections = [Section(Rank.VERDICT, "the verdict", "v"), Section(Rank.RUNS, "runs", "漢" * 2_500)]
    assert "漢" not in fit(sections, limit=7_000)
