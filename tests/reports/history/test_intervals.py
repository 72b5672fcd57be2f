"""Intervals compared with scipy's, at their limits, and how often they contain the true value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom, binomtest, chi2, t

from reports.history import intervals
from reports.history.intervals import (
    FEW,
    design_effect,
    effective_samples,
    percentile_ranks,
    quotient_interval,
    rank_interval,
    rare_events_interval,
    rate_interval,
    wilson_interval,
    worst_effect,
)
from reports.shared.thresholds import Z_95


def test_z_95_is_the_97_5_percent_point_of_the_normal_distribution() -> None:
    assert pytest.approx(float(ndtri(0.975)), abs=1e-12) == Z_95


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_that_of_scipy(counts: tuple[int, int]) -> None:
    successes, trials = counts
    theirs = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_the_interval_without_trials_is_0_to_1() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_125_of_125_is_the_smallest_sample_that_shows_97_percent() -> None:
    assert wilson_interval(125, 125)[0] >= 0.97 > wilson_interval(124, 124)[0]


@pytest.mark.parametrize("freedom", [4, 10, 30, 200])
def test_students_t_is_that_of_scipy(freedom: int) -> None:
    assert intervals._t_95(freedom) == pytest.approx(float(t.ppf(0.975, freedom)), rel=3e-3)


@pytest.mark.parametrize("seen", range(FEW))
def test_the_interval_of_a_rare_count_is_garwoods(seen: int) -> None:
    low, high = rare_events_interval(seen, 1.0, 0.0)
    assert low == pytest.approx(float(chi2.ppf(0.025, 2 * seen)) / 2 if seen else 0.0, abs=1e-3)
    assert high == pytest.approx(float(chi2.ppf(0.975, 2 * seen + 2)) / 2, abs=1e-3)


def test_failures_that_cluster_in_sessions_widen_the_interval() -> None:
    offered = np.full(50, 10.0)
    together = np.where(np.arange(50) < 5, 0.0, 10.0)
    spread = np.full(50, 9.0)
    assert design_effect(together, offered) == pytest.approx(10.0, rel=0.03)
    assert design_effect(spread, offered) == 1.0
    assert design_effect(offered, offered) == 1.0


def test_without_a_bad_call_a_session_counts_as_one_sample() -> None:
    offered = np.full(83, 5.0)
    assert effective_samples(offered, offered) == pytest.approx(83.0)
    assert rate_interval(offered, offered)[0] == pytest.approx(0.956, abs=1e-3)


def test_sessions_of_different_lengths_count_less_than_their_number() -> None:
    offered = np.array([1.0] * 10 + [10.0] * 10)
    assert worst_effect(offered) == pytest.approx(1010 / 110)
    assert effective_samples(offered, offered) == pytest.approx(110 / (1010 / 110))


def test_the_estimated_effect_is_believed_from_five_sessions_with_a_bad_call() -> None:
    offered = np.full(100, 6.0)
    four, five = offered.copy(), offered.copy()
    four[:4] -= 1
    five[:5] -= 1
    assert effective_samples(four, offered) == pytest.approx(100.0)
    assert effective_samples(five, offered) > 300


def test_a_rate_near_zero_is_treated_like_one_near_100_percent() -> None:
    offered = np.full(60, 6.0)
    bad = np.zeros(60)
    bad[0] = 6.0
    low, high = rate_interval(bad, offered)
    assert (1 - high, 1 - low) == pytest.approx(rate_interval(offered - bad, offered))


@pytest.mark.parametrize(("q", "least"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_the_upper_end_of_a_percentile_is_unknown_with_too_few_samples(q: float, least: int) -> None:
    values, alone = np.arange(float(least)), np.arange(least)
    assert rank_interval(values, alone, q)[1] == least - 1
    assert rank_interval(values[1:], alone[1:] - 1, q)[1] == math.inf


@pytest.mark.parametrize(("samples", "q"), [(100, 0.5), (100, 0.95), (400, 0.99), (72, 0.95)])
def test_the_ranks_of_a_percentile_hold_by_the_binomial_distribution(samples: int, q: float) -> None:
    low, high = percentile_ranks(samples, q)
    assert low is not None
    assert high is not None
    lower, upper = math.floor(low * samples + 1e-9), math.ceil(high * samples - 1e-9)
    assert binom.cdf(lower - 1, samples, q) <= 0.025
    assert 1 - binom.cdf(upper - 1, samples, q) <= 0.025


def test_calls_of_few_long_sessions_do_not_make_a_percentile_sure() -> None:
    session_of = np.repeat(np.arange(20), 30)
    values = np.where(session_of == 0, 9.0, 1.0)  # the slow calls are those of one session
    assert rank_interval(values, session_of, 0.95)[1] == math.inf
    assert math.isfinite(rank_interval(values, np.arange(600), 0.95)[1])


def test_failed_calls_stay_infinite_in_the_interval_of_a_percentile() -> None:
    values = np.array([1.0] * 90 + [math.inf] * 10)
    assert rank_interval(values, np.arange(100), 0.5) == (1.0, 1.0)
    assert rank_interval(values, np.arange(100), 0.9)[1] == math.inf


@given(st.floats(0.01, 10), st.floats(1.0, 3.0), st.floats(0.01, 10), st.floats(1.0, 3.0))
def test_a_quotient_lies_within_its_interval_and_its_ends(top: float, a: float, bottom: float, b: float) -> None:
    low, high = quotient_interval(top, (top / a, top * a), bottom, (bottom / b, bottom * b))
    assert low <= top / bottom <= high
    assert low >= top / a / (bottom * b) * (1 - 1e-9)
    assert high <= top * a / (bottom / b) * (1 + 1e-9)


def test_an_unknown_end_makes_an_end_of_the_quotient_unknown() -> None:
    assert quotient_interval(2.0, (1.0, math.inf), 1.0, (0.9, 1.1))[1] == math.inf
    assert quotient_interval(2.0, (1.0, 3.0), 1.0, (0.9, math.inf))[0] == 0.0
    assert quotient_interval(2.0, (1.0, 3.0), 1.0, (0.0, 1.1))[1] == math.inf
    assert quotient_interval(0.0, (0.0, 0.1), 0.5, (0.4, 0.6)) == pytest.approx((0.0, 0.25))
    assert quotient_interval(math.inf, (2.0, math.inf), 1.0, (0.5, 1.0)) == (2.0, math.inf)
    assert quotient_interval(math.inf, (math.inf, math.inf), 1.0, (0.5, 1.0)) == (math.inf, math.inf)


def test_two_rates_without_a_bad_call_have_a_quotient_with_a_width() -> None:
    offered = np.full(60, 6.0)
    ends = rate_interval(offered, offered)
    low, high = quotient_interval(1.0, ends, 1.0, ends)
    assert low < 0.95
    assert high > 1.05


def test_a_bootstrap_interval_is_wider_where_it_rests_on_few_sessions() -> None:
    resamples = np.arange(1000.0)
    assert intervals.bootstrap_interval(resamples, 1000) == (24.0, 975.0)
    low, high = intervals.bootstrap_interval(resamples, 10)
    assert [low, high] == pytest.approx([12.0, 987.0], abs=2)


def test_a_bootstrap_interval_without_resamples_is_unknown() -> None:
    assert intervals.bootstrap_interval(np.array([np.nan]), 10) == (-math.inf, math.inf)


def test_sessions_with_most_of_the_calls_are_what_an_estimate_rests_on() -> None:
    even, uneven = np.full(60, 5.0), np.array([60.0, 60.0, 60.0] + [2.0] * 60)
    hits = [n - (np.arange(n.size) < 10) for n in (even, uneven)]
    assert effective_samples(hits[0], even) / 300 > effective_samples(hits[1], uneven) / 300
