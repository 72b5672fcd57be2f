"""Whether a difference is more than chance: against other implementations, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.comparison.chance import count_p, holm, least_sd, on_scale, pairs_p, prediction_p, scales_of

small = st.floats(-10, 10).map(lambda value: round(value, 3))


def test_a_pair_is_judged_by_the_prediction_interval_of_the_stored_pairs() -> None:
    limit = float(stats.t.ppf(0.975, 9)) * 0.02 * math.sqrt(1.1)
    assert prediction_p(limit, 0.02, 10) == pytest.approx(0.05)
    assert prediction_p(0.0, 0.0, 10) == 1.0


def test_a_first_difference_after_n_equal_pairs_has_a_chance_of_1_in_n_plus_1() -> None:
    assert prediction_p(0.3, 0.0, 9) == 0.1


def test_several_pairs_are_judged_by_a_paired_t_test() -> None:
    differences = [0.3, -0.1, 0.4, 0.2, 0.25]
    assert pairs_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert pairs_p([0.0] * 5) == 1.0
    with pytest.raises(ValueError, match="two pairs"):
        pairs_p([1.0])


def test_pairs_with_infinite_or_equal_differences_are_judged_by_their_signs() -> None:
    assert pairs_p([math.inf] * 8) == pytest.approx(2 / 2**8)
    assert pairs_p([0.25] * 8) == pytest.approx(2 / 2**8)
    assert pairs_p([math.inf, -math.inf, 1.0, -1.0]) == 1.0


@pytest.mark.parametrize(("here", "there"), [(0, 0), (1, 0), (4, 1), (24, 0), (5, 17), (1522, 1519)])
def test_counts_are_judged_by_the_exact_binomial_test_of_their_total(here: int, there: int) -> None:
    exact = stats.binomtest(here, here + there, 0.5).pvalue if here + there else 1.0
    assert count_p(here, there) == pytest.approx(exact)


def test_holm_corrects_as_in_his_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_the_scale_follows_the_unit_and_the_values() -> None:
    assert scales_of("count", [3, 0]) == ("root",)
    assert scales_of("s", [0.1, 2.0]) == ("log", "linear")
    assert scales_of("share", [0.0, 0.5]) == ("linear",)
    assert (on_scale(0, "log"), on_scale(1, "log"), on_scale(1.5, "linear")) == (-math.inf, 0.0, 1.5)


def test_what_never_varied_is_not_believed_to_be_exact() -> None:
    assert least_sd("share", 400, "linear", 0.5) == 1 / 400
    assert least_sd("share", 400, "log", 0.001) == pytest.approx(2.5)  # one call is much of a share near 0
    assert least_sd("s", 400, "log", 0.1) == 0
    rng = np.random.default_rng(1)
    for mean in (3, 30, 1500):
        roots = [np.sqrt(rng.poisson(mean, 20_000) + 0.375) for _ in range(2)]
        assert np.std(roots[0] - roots[1]) == pytest.approx(least_sd("count", 1, "root", 1), rel=0.06)


@given(differences=st.lists(small, min_size=2, max_size=12), floor=st.sampled_from([0.0, 0.1, 1.0]))
def test_the_direction_of_the_difference_does_not_matter(differences: list[float], floor: float) -> None:
    assert pairs_p(differences, floor) == pytest.approx(pairs_p([-one for one in differences], floor))
    assert prediction_p(differences[0], floor, 8) == prediction_p(-differences[0], floor, 8)


@given(here=st.integers(0, 5000), there=st.integers(0, 5000))
def test_exchanged_counts_have_the_same_p_value(here: int, there: int) -> None:
    assert count_p(here, there) == count_p(there, here)
    assert 0 <= count_p(here, there) <= 1


@given(p_values=st.lists(st.floats(0, 1), max_size=20), seed=st.integers(0, 100))
def test_holm_keeps_the_order_and_does_not_depend_on_it(p_values: list[float], seed: int) -> None:
    adjusted = holm(p_values)
    assert all(p <= corrected <= 1 for p, corrected in zip(p_values, adjusted, strict=True))
    order = np.random.default_rng(seed).permutation(len(p_values))
    assert holm([p_values[at] for at in order]) == [adjusted[at] for at in order]


@pytest.mark.parametrize("pairs", [5, 8])
def test_equal_runs_differ_in_5_percent_of_single_pairs(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    alarms = 0
    for _ in range(2000):
        stored = rng.normal(0, 0.02, pairs)
        sd = math.sqrt(float((stored**2).mean()))
        alarms += prediction_p(float(rng.normal(0, 0.02)), sd, pairs) < 0.05
    assert 0.03 < alarms / 2000 < 0.065
