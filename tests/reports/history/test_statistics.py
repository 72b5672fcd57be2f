"""Percentiles and the bootstrap by session, and how often its intervals contain the true value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.history.statistics import (
    Resampling,
    percentile,
    percentile_interval,
)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.95, 0.99]))
def test_a_percentile_is_the_value_at_its_rank(values: list[float], q: float) -> None:
    array = np.array(values)
    assert percentile(array, q) == np.quantile(array, q, method="inverted_cdf")


def test_the_interval_without_resamples_is_infinite() -> None:
    assert percentile_interval(np.array([np.nan])) == (-np.inf, np.inf)


def test_infinite_values_stay_infinite() -> None:
    values = np.array([1.0] * 90 + [math.inf] * 10)
    assert percentile(values, 0.90) == 1.0
    assert percentile(values, 0.91) == math.inf
    resampled = Resampling(100, 1).percentiles(values, np.arange(100), (0.95,))[0]
    assert percentile_interval(resampled)[1] == math.inf


def test_a_resampled_percentile_is_that_of_the_repeated_values() -> None:
    rng = np.random.default_rng(3)
    values, session_of = rng.normal(size=60), rng.integers(0, 12, 60)
    resampling = Resampling(12, 5)
    p50, p95 = resampling.percentiles(values, session_of, (0.5, 0.95))
    for index in (0, 17, 999):
        repeated = np.repeat(values, resampling.weights[index][session_of])
        assert p50[index] == np.quantile(repeated, 0.5, method="inverted_cdf")
        assert p95[index] == np.quantile(repeated, 0.95, method="inverted_cdf")


def test_each_resample_has_as_many_sessions_as_the_run() -> None:
    assert set(Resampling(37, 9).weights.sum(axis=1).tolist()) == {37}


def test_the_same_seed_gives_the_same_interval() -> None:
    over, under = np.arange(20.0), np.ones(20)
    assert np.array_equal(Resampling(20, 4).ratio(over, under), Resampling(20, 4).ratio(over, under))


def test_the_bootstrap_interval_of_a_ratio_of_clustered_calls_has_its_coverage() -> None:
    rng = np.random.default_rng(20)
    covered = 0
    for trial in range(200):
        calls = rng.integers(1, 10, 60).astype(np.float64)
        ratio = rng.gamma(4.0, 0.25, 60)  # the level of the session, mean 1
        low, high = percentile_interval(Resampling(60, trial).ratio(calls * ratio, calls))
        covered += low <= 1.0 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_the_bootstrap_interval_of_a_median_has_its_coverage() -> None:
    rng = np.random.default_rng(21)
    covered = 0
    for trial in range(200):
        values = rng.exponential(size=80)
        resampled = Resampling(80, trial).percentiles(values, np.arange(80), (0.5,))[0]
        low, high = percentile_interval(resampled)
        covered += low <= math.log(2) <= high
    assert 0.91 <= covered / 200 <= 0.99


def test_the_number_of_sessions_varies_in_a_flow_as_poisson_arrivals_do() -> None:
    flows = Resampling(400, 7).flows(np.ones(400))
    assert float(flows.mean()) == pytest.approx(400, rel=0.01)
    assert float(flows.std()) == pytest.approx(20, rel=0.1)
