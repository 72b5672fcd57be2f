"""Results of measures: facts, shares, intervals, and reasons."""

from __future__ import annotations

import math

import numpy as np

from reports.history.statistics import wilson_interval
from reports.measures.measurement import fact, not_measured, proportion, resampled


def test_a_fact_is_exact_and_has_no_interval() -> None:
    found = fact(3, 7)
    assert (found.value, found.samples, found.interval, found.resamples) == (3.0, 7, None, None)


def test_what_is_not_measured_has_a_reason_and_no_value() -> None:
    found = not_measured("no call was made", 2)
    assert (found.value, found.samples, found.why_not) == (None, 2, "no call was made")


def test_the_interval_of_a_proportion_has_trials_divided_by_the_design_effect() -> None:
    found = proportion(90.0, 100, 20, 4.0, lambda: np.array([0.9]))
    assert (found.value, found.samples, found.sessions) == (0.9, 100, 20)
    assert found.interval is not None
    assert found.interval() == wilson_interval(22.5, 25.0)
    assert proportion(0.0, 0, 0, 1.0, lambda: np.array([])).why_not == "there is no sample"


def test_the_interval_of_a_resampled_value_holds_95_percent_of_the_resamples() -> None:
    found = resampled(50.0, 10, 5, lambda: np.arange(1000.0))
    assert found.interval is not None
    assert found.interval() == (24.0, 975.0)
    assert resampled(math.nan, 3, 1, lambda: np.array([])).why_not == "the denominator is 0"
