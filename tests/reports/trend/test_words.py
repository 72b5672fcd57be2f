"""A history as text."""

from __future__ import annotations

from typing import Any

import pytest

from reports.trend.words import (
    change_text,
    count_text,
    doubt_text,
    history_facts,
    p_text,
    percent_text,
    short_time,
    since_text,
    skipped_text,
    spark,
    state_text,
    verdicts_text,
)

CHANGE: dict[str, Any] = {
    "name": "ttft.p95", "direction": "worse", "unit": "s", "before": 0.4, "after": 0.78, "runs_before": 23,
    "runs_after": 20, "p": 0.0004, "started_at": "2026-11-10T04:30:00.000+00:00", "until": None,
}  # fmt: skip


def series(*changes: dict[str, Any], tested: bool = True) -> dict[str, Any]:
    runs = [{"started_at": f"2026-11-{day}T04:30:00.000+00:00"} for day in (12, 10)]
    return {"label": "a on b", "machine": "", "apart": "", "changes": list(changes), "tested": tested, "runs": runs}


def test_a_change_says_its_levels_its_runs_and_its_p() -> None:
    assert change_text(CHANGE) == "400 ms -> 780 ms (+95%), 23 runs before, 20 after, p < 0.001"
    assert since_text(CHANGE) == "since 2026-11-10 04:30"
    assert since_text({**CHANGE, "until": "2026-11-12T05:00:00"}) == "2026-11-10 04:30 to 2026-11-12 05:00"


@pytest.mark.parametrize(
    ("before", "after", "unit", "text"),
    [
        (1.0, 1.5, "s", "+50%"),
        (2.0, 1.0, "s", "-50%"),
        (1.0, 12.0, "s", "12 times"),
        (1.0, 2.1, "s", "+110%"),
        (1.0, 1.999, "s", "+100%"),
        (0.0, 3.0, "count", ""),
        (0.97, 0.93, "share", "-4 points"),
        (1.0, "never", "s", ""),
    ],
)
def test_the_size_of_a_change(before: float, after: float | str, unit: str, text: str) -> None:
    assert percent_text(before, after, unit) == text


def test_small_p_values_are_not_printed_in_full() -> None:
    assert [p_text(0.0001), p_text(0.0123)] == ["p < 0.001", "p 0.012"]


def test_bars_show_the_last_values_with_gaps_never_and_changes() -> None:
    values = [9.0, 1.0, 1.0, None, "never", 2.0, 5.0]
    counts = [True, True, True, True, True, True, False]
    assert spark(values, counts, [5], last=6) == "▁▁·∞|█·"


def test_little_noise_looks_quiet() -> None:
    assert set(spark([100.0, 101.0, 100.5, 99.8], [True] * 4)) == {"▁"}


def test_the_state_names_what_is_still_worse() -> None:
    over, better = {**CHANGE, "until": "2026-11-12"}, {**CHANGE, "direction": "better"}
    assert state_text({"series": [series(CHANGE)]}) == "At a worse level than before: ttft.p95"
    assert state_text({"series": [series(over, better)]}) == "No measure is at a worse level than before"
    assert state_text({"series": [series(tested=False)]}) == "Too few runs to tell a change from chance"
    many = [{**CHANGE, "name": f"m{number}"} for number in range(7)]
    assert state_text({"series": [series(*many)]}).endswith("m0, m1, m2, m3 and 3 more")


def test_counts_and_times_are_read_at_a_glance() -> None:
    data = {"runs": 2, "series": [series()], "skipped": [{}]}
    assert history_facts(data) == "2 runs in 1 series, 2026-11-10 04:30 to 2026-11-12 04:30 (UTC)"
    assert skipped_text(data) == "1 report was skipped"
    assert skipped_text({"skipped": []}) == ""
    assert count_text(1) == "1 run"
    assert verdicts_text(["fail", "pass", "pass"]) == "2 pass, 1 fail"
    assert short_time("2026-11-10T04:30:59.123+00:00") == "2026-11-10 04:30"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("severe_doubts", "machine far too busy"),
        ("machine_doubts", "machine too busy"),
        ("fault_doubts", "fault not a valid test"),
        ("doubts", "in doubt"),
        ("", ""),
    ],
)
def test_a_doubt_in_a_few_words(part: str, text: str) -> None:
    run: dict[str, list[str]] = {"severe_doubts": [], "machine_doubts": [], "fault_doubts": [], "doubts": []}
    assert doubt_text({**run, part: ["x"]}) == text
