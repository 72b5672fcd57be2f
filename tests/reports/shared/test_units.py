"""Durations and percentages: the texts that are accepted, and the values they become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.units import Mistake, duration_s, duration_text, fraction


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("300ms", 0.3), ("2m", 120), ("1.5 h", 5400), ("3", 3), (4, 4), (0.5, 0.5), ("0s", 0)],
)
def test_durations_are_seconds(text: object, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5 parsecs", "1m30s", None, True, [], float("nan"), float("inf"), "-1s", -1])
def test_text_that_is_not_a_duration_is_a_mistake(text: object) -> None:
    with pytest.raises(Mistake):
        duration_s(text)


@given(st.floats(min_value=0, max_value=1e6, allow_nan=False))
def test_a_duration_in_milliseconds_is_read_to_the_microsecond(seconds: float) -> None:
    assert duration_s(f"{seconds * 1000:.3f}ms") == pytest.approx(seconds, abs=1e-6)


def test_durations_are_printed_with_a_fitting_unit() -> None:
    assert [duration_text(s) for s in (0, 0.3, 15, 119.5, 120, 125)] == [
        "0 s",
        "300 ms",
        "15 s",
        "119.5 s",
        "2 min",
        "2 min 5 s",
    ]


def test_percentages_are_fractions() -> None:
    assert [fraction(value) for value in ("30%", 0.3, 1, "100 %", "0%")] == [0.3, 0.3, 1.0, 1.0, 0.0]
    for wrong in ("30", 30, "-1%", True, None, "101%"):
        with pytest.raises(Mistake):
            fraction(wrong)
