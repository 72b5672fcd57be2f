"""Results of measures: facts, shares, intervals, and reasons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.history.intervals import wilson_interval
from reports.measures.measurement import Rare, fact, not_measured, proportion, resampled


def test_a_fact_is_exact_and_has_no_interval() -> None:
    found = fact(3, 7)
    assert (found.value, found.samples, found.interval, found.resamples) == (3.0, 7, None, None)


def test_what_is_not_measured_has_a_reason_and_no_value() -> None:
    found = not_measured("no call was made", 2)
    assert (found.value, found.samples, found.why_not) == (None, 2, "no call was made")


def test_the_interval_of_a_proportion_is_that_of_its_effective_samples() -> None:
    offered = np.full(20, 5.0)
    found = proportion(offered, offered, lambda: np.array([0.9]))
    assert (found.value, found.samples, found.sessions, found.effective) == (1.0, 100, 20, 20.0)
    assert found.interval is not None
    assert found.interval() == wilson_interval(20, 20)
    assert proportion(np.zeros(3), np.zeros(3), lambda: np.array([])).why_not == "there is no sample"


def test_an_event_that_was_never_seen_widens_the_interval_of_a_ratio() -> None:
    found = resampled(1.0, 100, 20, lambda: np.ones(1000), Rare(0, 1.0, 0.05))
    assert found.interval is not None
    assert found.interval() == pytest.approx((1.0, 1 + 3.689 * 0.05))
    often = resampled(1.0, 100, 20, lambda: np.ones(1000), Rare(5, 1.0, 0.05))
    assert often.interval is not None
    assert (often.interval(), often.rare, found.rare) == ((1.0, 1.0), False, True)


def test_the_interval_of_a_resampled_value_holds_95_percent_of_the_resamples() -> None:
    found = resampled(50.0, 3000, 1000, lambda: np.arange(1000.0))
    assert found.interval is not None
    assert found.interval() == (24.0, 975.0)
    assert resampled(math.nan, 3, 1, lambda: np.array([])).why_not == "the denominator is 0"
