"""How much worse a measure became: against other implementations, and by simulation at exactly the tolerance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.gating.worsening import (
    count_detectable_above,
    detectable_above,
    never_p,
    pairs_for_never,
    worse_count,
    worse_mean,
)

counts = st.lists(st.integers(0, 60), min_size=5, max_size=8)


def test_differences_are_judged_by_a_one_sided_paired_t_test() -> None:
    differences = [0.3, 0.1, 0.4, 0.2, 0.25]
    found = worse_mean(differences, 0.1, 0.025)
    exact = stats.ttest_1samp(differences, 0.1, alternative="greater")
    assert found.p == pytest.approx(exact.pvalue)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_equal_differences_have_the_spread_that_is_believed() -> None:
    found = worse_mean([0.2] * 5, 0.1, 0.025, floor=0.01)
    assert found.low < 0.2 < found.high
    assert found.sd == 0.01
    assert found.seen_sd == pytest.approx(0, abs=1e-12)
    assert 0 < found.p < 1e-4
    assert worse_mean([0.0] * 5, 0.1, 0.025).p == 1.0


def test_no_event_in_any_run_is_judged_by_the_rule_of_three() -> None:
    """-ln(0.025) / 5 = 0.74 a run at most."""
    found = worse_count([0] * 5, [0] * 5, 1.0, 0.025)
    assert found.high == pytest.approx(-math.log(0.025) / 5)
    assert found.high < 1 < worse_count([0] * 3, [0] * 3, 1.0, 0.025).high
    assert found.p == 1.0


def test_thirty_events_a_run_against_none_are_found_in_five_pairs() -> None:
    """Also where ten measures are judged: p < 2.5 % / 10."""
    assert worse_count([30, 25, 33, 28, 31], [0] * 5, 1.0, 0.025).p < 0.0025


def test_all_events_in_one_run_are_not_taken_for_a_difference_between_sides() -> None:
    found = worse_count([30, 0, 0, 0, 0], [0] * 5, 1.0, 0.025)
    assert found.low < 1 < found.high
    assert found.p > 0.1


def test_the_p_value_of_counts_is_not_below_that_of_a_paired_t_test() -> None:
    worse, other = [6, 5, 9, 3, 7], [0] * 5
    found = worse_count(worse, other, 1.0, 0.025)
    assert found.p == pytest.approx(worse_mean(worse, 1.0, 0.025, math.sqrt(6)).p)
    assert 0.001 < found.p < 0.01


def test_the_p_value_of_counts_agrees_with_their_interval() -> None:
    for worse in ([6, 5, 9, 3, 7], [2, 2, 3, 2, 2], [1, 0, 4, 2, 0]):
        found = worse_count(worse, [0, 1, 0, 0, 0], 1.0, 0.025)
        assert (found.p < 0.025) == (found.low > 1.0)


@settings(max_examples=40, deadline=None)
@given(worse=counts, data=st.data())
def test_exchanged_sides_have_the_opposite_interval(worse: list[int], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.integers(0, 60), min_size=len(worse), max_size=len(worse)))
    one, back = worse_count(worse, other, 1.0, 0.025), worse_count(other, worse, 1.0, 0.025)
    assert (one.mean, one.low, one.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert one.low <= one.mean <= one.high


@pytest.mark.parametrize(("mean", "dispersion"), [(0.0, 1), (3.0, 1), (3.0, 3), (20.0, 3)])
def test_counts_at_exactly_the_tolerance_are_seldom_judged_wrongly(mean: float, dispersion: int) -> None:
    rng = np.random.default_rng(int(mean) + dispersion)

    def drawn(expected: float) -> list[float]:
        if dispersion == 1 or expected == 0:
            return [float(one) for one in rng.poisson(expected, 5)]
        return [float(one) for one in rng.negative_binomial(expected / (dispersion - 1), 1 / dispersion, 5)]

    found = [worse_count(drawn(mean + 2), drawn(mean), 2.0, 0.025) for _ in range(600)]
    most = stats.binom.isf(0.01, 600, 0.025)
    assert sum(one.low > 2 for one in found) <= most
    assert sum(one.high <= 2 for one in found) <= most


@pytest.mark.parametrize(("here", "there", "pairs"), [(5, 0, 5), (3, 1, 5), (8, 2, 8), (0, 3, 5), (4, 4, 6)])
def test_runs_that_never_recover_are_judged_by_fishers_exact_test(here: int, there: int, pairs: int) -> None:
    table = [[here, pairs - here], [there, pairs - there]]
    assert never_p(here, there, pairs) == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_six_pairs_tell_always_from_never_among_ten_measures() -> None:
    assert [pairs_for_never(0.025, measures) for measures in (1, 6, 10)] == [4, 5, 6]


@pytest.mark.parametrize(("pairs", "sds"), [(5, 3.36), (8, 2.09), (10, 1.76)])
def test_what_is_detectable_is_found_with_99_percent(pairs: int, sds: float) -> None:
    """One-sided 1 %, in standard deviations of a pair's difference."""
    above = detectable_above(pairs, 1.0, 0.01)
    assert above == pytest.approx(sds, abs=0.01)
    rng = np.random.default_rng(pairs)
    drawn = rng.normal(above, 1, (20_000, pairs))
    t = drawn.mean(axis=1) / (drawn.std(axis=1, ddof=1) / math.sqrt(pairs))
    assert (t > stats.t.ppf(0.99, pairs - 1)).mean() == pytest.approx(0.99, abs=0.003)


def test_what_is_detectable_agrees_with_the_figures_of_two_sides_in_sd_of_a_run() -> None:
    """The design's 3.8, 2.7 and 2.3 are of two independent sides; as pairs, such runs have sqrt(2) the sd of a run."""
    for pairs, of_two_sides in ((5, 3.8), (8, 2.7), (10, 2.3)):
        paired = math.sqrt(2) * detectable_above(pairs, 1.0, 0.01)
        assert of_two_sides < paired < 1.3 * of_two_sides


def test_a_detectable_count_has_the_spread_of_the_larger_count() -> None:
    above = count_detectable_above(5, 0.0, 0.0025, 0.0, 1.0)
    assert above == pytest.approx(detectable_above(5, math.sqrt(1 + above), 0.0025))
    assert count_detectable_above(5, 100.0, 0.0025, 0.0, 1.0) == detectable_above(5, 100.0, 0.0025)
    rng = np.random.default_rng(5)
    found = [worse_count(list(rng.poisson(1 + above, 5)), [0] * 5, 1.0, 0.0025).p < 0.0025 for _ in range(400)]
    assert sum(found) >= 0.97 * 400
