"""Resampled comparisons of stored pairs: false alarms, their bounds, and the sizes that are found."""

from __future__ import annotations

import itertools
import math

import msgspec
import numpy as np
import pytest

from bench import gate_resampling as resampling
from bench.gate_resampling import (
    Dose,
    against_choices,
    beyond,
    bound_for_new_runs,
    compared,
    draws,
    found_size,
    least_beyond,
    lower_bound,
    measured,
    resampled,
    share_bound,
    worse,
)
from reports.gating.regressions import Pair
from reports.gating.run_values import RunValues
from reports.gating.tolerances import DEFAULTS, Tolerance

TTFT = next(one for one in DEFAULTS if one.measure == "ttft.p95")
GOODPUT = next(one for one in DEFAULTS if one.measure == "goodput")
LOST = next(one for one in DEFAULTS if one.measure == "sessions_lost")
SLO = next(one for one in DEFAULTS if one.measure == "slo_attainment")
RECOVER = next(one for one in DEFAULTS if one.measure == "time_to_recover")


def run(seed: int, ttft: float = 0.5, lost: float = 0.0, **more: float) -> RunValues:
    measures = {
        "ttft.p95": {"run": ttft},
        "sessions_lost": {"run": lost},
        **{name: {"run": value} for name, value in more.items()},
    }
    return msgspec.convert(
        {
            "seed": seed,
            "started_at": "2026-11-28",
            "sound": True,
            "doubtful": False,
            "calls": {"run": 400.0},
            "sessions": {"run": 70.0},
            "measures": measures,
        },
        type=RunValues,
    )


def store(sd: float, seeds: int = 20, second: float = 1.0) -> list[Pair]:
    """Pairs of equal runs whose times have this standard deviation; the second run of each is `second` times slower."""
    rng = np.random.default_rng(5)
    return [
        (run(seed, 0.5 * math.exp(sd * rng.normal())), run(seed, second * 0.5 * math.exp(sd * rng.normal())))
        for seed in range(seeds)
    ]


def test_a_draw_has_different_seeds_and_either_run_as_the_head() -> None:
    pairs = store(0.1, 6)
    drawn = list(draws(pairs, 5, 200, np.random.default_rng(1)))
    assert all(len({head.seed for head, _ in one}) == 5 for one in drawn)
    assert all(head.seed == base.seed and head is not base for one in drawn for head, base in one)
    as_played = sum(pair in pairs for one in drawn for pair in one)
    assert 400 < as_played < 600
    with pytest.raises(ValueError, match="7 pairs cannot be drawn from 6"):
        list(draws(pairs, 7, 1, np.random.default_rng(1)))


def test_equal_runs_that_hardly_differ_give_no_false_alarm() -> None:
    found = resampled(store(0.02), [TTFT, LOST], 5, 100, np.random.default_rng(1))
    assert found.verdicts == {"pass": 100}
    assert (found.failed, found.undecided, found.tested) == ({}, {}, 2)


def test_equal_runs_that_differ_much_are_undecided() -> None:
    found = resampled(store(0.3), [TTFT, LOST], 5, 100, np.random.default_rng(1))
    assert found.share("inconclusive") > 0.8
    assert found.share("fail") < 0.03
    assert found.undecided["ttft.p95"] == found.verdicts["inconclusive"]


def test_a_true_difference_is_a_false_alarm_where_all_pairs_have_it_on_one_side() -> None:
    """Twice as slow: with a head drawn at random, all five heads are the slow runs in 1 of 32 comparisons."""
    found = resampled(store(0.01, second=2.0), [TTFT, LOST], 5, 400, np.random.default_rng(1))
    assert found.share("fail") == pytest.approx(1 / 32, abs=0.02)
    assert found.failed["ttft.p95"] == found.verdicts["fail"]


@pytest.mark.parametrize("pairs", [5, 8, 10])
def test_no_comparison_fails_with_fewer_pairs_beyond_the_tolerance(pairs: int) -> None:
    """The most extreme values that fewer pairs allow: all others at the tolerance, these equal and far beyond."""
    least = least_beyond(pairs, 0.025 / 2)
    for count in range(pairs + 1):
        rows = [(run(seed, 0.5 * (50.0 if seed < count else 1.2)), run(seed, 0.5)) for seed in range(pairs)]
        verdict = next(one.verdict for one in compared(rows, [TTFT, LOST]).measures if one.measure == "ttft.p95")
        assert (verdict == "fail") == (count >= least), count


def test_never_on_one_side_counts_for_the_fewest_pairs() -> None:
    for pairs, count in itertools.product((6, 8, 10), range(1, 11)):
        never = [
            (run(seed, time_to_recover=math.inf if seed < count else 3.0), run(seed, time_to_recover=3.0))
            for seed in range(pairs)
        ]
        failed = compared(never, [RECOVER, LOST]).verdict == "fail"
        assert not failed or count >= least_beyond(pairs, 0.025 / 2)


def test_pairs_beyond_the_tolerance_are_counted_in_both_directions() -> None:
    pairs = [(run(1, 0.5), run(1, 0.61)), (run(2, 0.61), run(2, 0.5)), (run(3, 0.5), run(3, 0.59)), (run(4), run(4))]
    count, largest = beyond(pairs, TTFT)
    assert count == 2
    assert largest == pytest.approx(0.22 / 0.2)
    never = [(run(1, time_to_recover=math.inf), run(1, time_to_recover=2.0))]
    assert beyond(never, RECOVER) == (1, math.inf)
    both = [(run(1, time_to_recover=math.inf), run(1, time_to_recover=math.inf))]
    assert beyond(both, RECOVER) == (0, 0.0)


def test_the_bound_for_new_runs_is_the_binomial_tail_at_the_bound_of_q() -> None:
    """0 of 20 pairs at 5 % / 10 measures: q is at most 1 - 0.005 ** (1 / 20); all of 5 pairs are needed."""
    q = 1 - 0.005 ** (1 / 20)
    assert share_bound(0, 20, 0.005) == pytest.approx(q)
    assert bound_for_new_runs([0] * 10, 20, 5, 10, order_matters=False) == pytest.approx(10 * (q / 2) ** 5)
    assert bound_for_new_runs([0] * 10, 20, 5, 10, order_matters=True) == pytest.approx(10 * q**5)
    assert bound_for_new_runs([20] * 10, 20, 5, 10, order_matters=True) == 1.0
    assert bound_for_new_runs([], 20, 5, 10, order_matters=False) == 0.0


def test_the_bound_for_new_runs_is_reached_in_the_worst_case() -> None:
    """Of each pair, one run is twice as slow: of the 32 ways to name the heads of five pairs, exactly one fails."""
    pairs = store(0.001, second=2.0)
    ways = itertools.product((False, True), repeat=5)
    named = [[(b, a) if swap else (a, b) for swap, (a, b) in zip(way, pairs[:5], strict=True)] for way in ways]
    true = sum(compared(one, [TTFT, LOST]).verdict == "fail" for one in named) / 32
    assert true == 1 / 32
    counts = [beyond(pairs, one)[0] for one in (TTFT, LOST)]
    least = bound_for_new_runs(counts, len(pairs), 5, 10, order_matters=False)
    assert counts == [20, 0]
    assert true <= least <= true + 0.001
    assert true < bound_for_new_runs(counts, len(pairs), 5, 2, order_matters=False)


def test_a_bound_of_shares_is_exact() -> None:
    assert lower_bound(5, 5) == pytest.approx(0.05**0.2)
    assert lower_bound(0, 5) == 0.0
    assert share_bound(5, 5, 0.05) == 1.0


@pytest.mark.parametrize(
    ("tolerance", "size", "value"), [(TTFT, 0.5, 0.75), (GOODPUT, 0.5, 50.0), (RECOVER, 2.0, 5.0), (LOST, 4.0, 6.0)]
)
def test_a_worsening_is_added_on_the_scale_of_the_tolerance(tolerance: Tolerance, size: float, value: float) -> None:
    before = run(1, 0.5, 2.0, goodput=100.0, time_to_recover=3.0)
    assert worse(before, tolerance, size).value(tolerance.measure, tolerance.phase) == pytest.approx(value)
    assert before.value("ttft.p95", None) == 0.5
    assert worse(before, SLO, 0.1) is before


def test_an_added_count_is_poisson() -> None:
    lucks = (np.arange(2000) + 0.5) / 2000
    counts = [worse(run(1), LOST, 3.0, float(luck)).value("sessions_lost", None) for luck in lucks]
    assert np.mean([one for one in counts if one is not None]) == pytest.approx(3.0, abs=0.02)
    assert np.var([one for one in counts if one is not None]) == pytest.approx(3.0, abs=0.1)


def test_the_size_that_is_found_is_found_and_a_smaller_one_is_not() -> None:
    pairs = store(0.05)
    dose = found_size(pairs, TTFT, 5, 2, 100, np.random.default_rng(4))
    assert dose is not None

    def share(size: float) -> float:
        rng = np.random.default_rng(9)
        drawn = list(draws(pairs, 5, 200, rng))
        heads = [[(worse(head, TTFT, size), base) for head, base in one] for one in drawn]
        return sum(compared(one, [TTFT], 1 - 0.05 / 2).verdict == "fail" for one in heads) / 200

    assert share(dose.size * 1.1) > 0.97
    assert share(dose.size * 0.8) < 0.97
    assert dose.stated[0] <= dose.stated[1] <= dose.stated[2]
    assert dose.against_stated == 0


def test_a_size_needs_finite_values_in_every_run() -> None:
    pairs = [*store(0.02, 9), (run(9, math.inf), run(9))]
    assert found_size(pairs, TTFT, 5, 1, 10, np.random.default_rng(1)) is None
    assert found_size(pairs, GOODPUT, 5, 1, 10, np.random.default_rng(1)) is None


def test_no_size_is_found_where_runs_differ_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_MOST", 4.0)
    dose = found_size(store(2.0), TTFT, 5, 10, 20, np.random.default_rng(1))
    assert dose is not None
    assert dose.size == math.inf


def test_a_size_beside_what_is_stated_is_smaller_within_or_larger() -> None:
    assert [Dose(size, (1.0, 1.5, 2.0)).against_stated for size in (0.9, 1.0, 2.0, 2.2, math.inf)] == [-1, 0, 0, 1, 1]


def test_a_planted_regression_is_compared_with_every_choice_of_base_runs() -> None:
    pairs = store(0.02)
    bases = {first.seed: [first, second] for first, second in pairs}
    slow = against_choices([run(seed, 1.0) for seed in range(5)], bases, [TTFT, LOST])
    assert (slow.choices, slow.found, slow.by) == (32, 32, {"ttft.p95": 32})
    assert slow.change["ttft.p95"] == pytest.approx(5.0, rel=0.1)
    equal = against_choices([run(seed) for seed in (0, 1, 2, 3, 4, 99)], bases, [TTFT, LOST])
    assert (equal.choices, equal.found) == (32, 0)


def test_measures_that_no_run_has_are_not_judged() -> None:
    assert measured(store(0.02, 2), DEFAULTS) == [LOST, TTFT]
