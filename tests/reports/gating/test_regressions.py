"""Two sides of runs: what is a regression, what passes, what is undecided; and how often each is said wrongly."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.regressions import Case, compared
from brownout.result import Comparison, ExperimentResult, MeasureChange, Result
from reports.gating.regressions import MIN_PAIRS, Pair, compare_sides
from reports.gating.tolerances import Tolerance, declared_tolerances, parse_tolerance
from tests.support.compared_runs import compared_run

WIGGLE = (1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99)
"""Factors of the runs of one side: values are not equal."""

Values = Mapping[str, float | None]


def sides(head: Sequence[Values], base: Sequence[Values] | None = None) -> list[Pair]:
    others = base if base is not None else [{}] * len(head)
    return [
        (compared_run(seed, one), compared_run(seed, other))
        for seed, (one, other) in enumerate(zip(head, others, strict=True))
    ]


def judged(pairs: Sequence[Pair], *tolerances: str, level: float = 0.95) -> Comparison:
    source: Literal["interleaved"] = "interleaved"
    return compare_sides(pairs, [parse_tolerance(one) for one in tolerances], base="main", source=source, level=level)


def one(pairs: Sequence[Pair], tolerance: str) -> MeasureChange:
    (change,) = judged(pairs, tolerance).measures
    return change


def slower(factor: float, pairs: int = 5) -> list[Pair]:
    return sides([{"ttft.p95": 0.5 * factor * wiggle} for wiggle in WIGGLE[:pairs]])


def test_equal_sides_pass_and_say_how_many_measures_were_judged() -> None:
    found = judged(slower(1.0), "ttft.p95=20%", "sessions_lost=1", "goodput=10%", "time_to_recover=3 s")
    assert (found.verdict, found.pairs, found.seeds, found.note) == ("pass", 5, (0, 1, 2, 3, 4), "")
    assert found.why == ("none of 4 measures became worse by more than its tolerance in 5 pairs",)
    assert {change.verdict for change in found.measures} == {"pass"}


def test_a_regression_is_named_with_its_size_interval_and_tolerance() -> None:
    found = judged(slower(1.34), "ttft.p95 during fault=20%", "sessions_lost=1")
    assert found.verdict == "fail"
    assert found.why == ("ttft.p95 during fault: 34 % worse (95 % interval 31.4 to 36.6 %), tolerance 20 %",)
    change = found.measures[0]
    assert (change.phase, change.unit, change.better, change.relative) == ("fault", "s", "lower", True)
    assert (change.here, change.there, change.change) == pytest.approx((0.67, 0.5, 0.34), rel=1e-3)
    assert change.interval is not None
    assert change.interval[0] > change.tolerance == 0.2
    assert change.p is not None
    assert change.p < 0.001
    assert change.spread == pytest.approx(0.0158, abs=0.001)
    assert change.detectable is not None
    assert 0.25 < change.detectable < 0.34


def test_a_measure_of_which_more_is_better_is_worse_when_it_falls() -> None:
    change = one(sides([{"goodput": 400.0 * wiggle} for wiggle in WIGGLE[:5]]), "goodput=10%")
    assert (change.verdict, change.better) == ("fail", "higher")
    assert change.change is not None
    assert change.change == pytest.approx(-0.2, abs=0.01)
    assert change.interval is not None
    assert change.interval[0] < change.change < change.interval[1] < -0.1
    assert "goodput: 20 % worse (95 % interval 18.4 to 21.6 %), tolerance 10 %" in change.why


def test_an_improvement_never_fails_however_large() -> None:
    found = judged(
        sides([{"ttft.p95": 0.1 * wiggle, "goodput": 900.0 * wiggle} for wiggle in WIGGLE[:5]]),
        "ttft.p95=20%",
        "goodput=10%",
        "sessions_lost=1",
    )
    assert found.verdict == "pass"
    assert "ttft.p95: 80 % better" in found.measures[0].why
    lost = one(sides([{}] * 5, [{"sessions_lost": 30.0}] * 5), "sessions_lost=1")
    assert (lost.verdict, lost.change) == ("pass", -30.0)


def test_an_interval_around_the_tolerance_is_undecided_and_says_what_would_do() -> None:
    noisy = sides([{"ttft.p95": 0.5 * factor} for factor in (1.0, 1.5, 0.9, 1.6, 1.1)])
    found = judged(noisy, "ttft.p95=20%", "goodput=10%")
    assert found.verdict == "inconclusive"
    assert len(found.why) == 1
    assert "tolerance 20 %. These 5 pairs would find " in found.why[0]


def test_no_lost_session_on_either_side_passes_in_five_pairs() -> None:
    change = one(sides([{}] * 5), "sessions_lost=1")
    assert change.verdict == "pass"
    assert change.why == "sessions_lost: unchanged (95 % interval 0.738 fewer to 0.738 more), tolerance 1 a run"


def test_thirty_lost_sessions_a_run_against_none_fail_among_ten_measures() -> None:
    names = ("ttft.p50", "ttft.p99", "tpot.p50", "tpot.p95", "itl.p95", "e2e.p50", "e2e.p95", "e2e.p99", "ttft.p95")
    head = [{**dict.fromkeys(names, 1.0), "sessions_lost": lost} for lost in (30.0, 25.0, 33.0, 28.0, 31.0)]
    base = [{**dict.fromkeys(names, 1.0)}] * 5
    found = judged(sides(head, base), *(f"{name}=20%" for name in names), "sessions_lost=1")
    assert found.why == ("sessions_lost: 29.4 more a run (95 % interval 22.7 to 36.1), tolerance 1 a run",)


def test_counts_that_are_not_equal_are_no_regression() -> None:
    change = one(sides([{"sessions_lost": lost} for lost in (1.0, 0.0, 2.0, 0.0, 0.0)]), "sessions_lost=3")
    assert change.verdict == "pass"


def test_beyond_the_tolerance_but_not_beyond_chance_among_many_is_undecided() -> None:
    head = [{"ttft.p95": 0.5 * factor} for factor in (1.30, 1.24, 1.36, 1.22, 1.4)]
    assert one(sides(head), "ttft.p95=20%").verdict == "fail"
    among = judged(sides(head), "ttft.p95=20%", "goodput=10%", "sessions_lost=1", "time_to_recover=3 s")
    assert among.verdict == "inconclusive"
    assert "not beyond chance among 4 measures" in among.why[0]


@pytest.mark.parametrize("pairs", [0, 1, 4])
def test_fewer_than_five_pairs_decide_nothing_and_show_values(pairs: int) -> None:
    found = judged(slower(9.0, pairs), "ttft.p95=20%")
    assert found.verdict == "inconclusive"
    assert found.note == f"{pairs} pairs of runs with the same seed are too few: at least 5 decide"
    assert found.why == (found.note,)
    assert [(change.interval, change.p) for change in found.measures] == [(None, None)] * bool(pairs)


def test_a_pair_with_a_run_that_may_not_decide_does_not_count() -> None:
    pairs = slower(1.5, 6)
    bad = msgspec.structs.replace(pairs[2][1], sound=False, why="aborted: stopped by a guardrail")
    pairs[2] = (pairs[2][0], bad)
    assert judged(pairs, "ttft.p95=20%").seeds == (0, 1, 3, 4, 5)
    few = judged(pairs[:5], "ttft.p95=20%")
    assert "; 1 of 5 do not count (seed 2: aborted: stopped by a guardrail)" in few.note


def test_with_a_doubtful_machine_times_are_undecided_and_counts_decide() -> None:
    pairs = slower(1.5)
    pairs[0] = (msgspec.structs.replace(pairs[0][0], doubtful=True), pairs[0][1])
    found = judged(pairs, "ttft.p95=20%", "sessions_lost=1", "retry_amplification=5%")
    assert [change.verdict for change in found.measures] == ["inconclusive", "pass"]
    assert found.measures[0].why == (
        "ttft.p95: only 4 of 5 pairs count: in 1 the machine was in doubt; at least 5 pairs decide"
    )
    assert found.measures[0].p is None


def test_what_is_measured_on_one_side_only_is_undecided_and_on_none_left_out() -> None:
    found = judged(sides([{"goodput": None}] * 5), "goodput=10%", "failover.p95=1 s")
    (change,) = found.measures
    assert change.verdict == "inconclusive"
    assert "only 0 of 5 pairs count: in 5 it was not measured on both sides" in change.why
    assert (change.here, change.there, change.change) == (None, 500.0, None)
    nothing = judged(sides([{}] * 5), "failover.p95=1 s")
    assert (nothing.verdict, nothing.measures) == ("inconclusive", ())
    assert "no measure is judged" in nothing.why[0]


def test_pairs_in_which_calls_of_the_head_failed_do_not_let_the_others_pass() -> None:
    pairs = sides([{"ttft.p95": None}] * 5 + [{}] * 5)
    found = one(pairs, "ttft.p95=20%")
    assert found.verdict == "inconclusive"
    assert "in 5 of 10 pairs only the base has a value" in found.why
    assert one(sides([{}] * 5 + [{"ttft.p95": None}] * 5), "goodput=10%").verdict == "pass"
    assert one(sides([{}] * 10, [{"ttft.p95": None}] * 5 + [{}] * 5), "ttft.p95=20%").verdict == "pass"


def test_a_shown_measure_decides_nothing() -> None:
    off = Tolerance("ttft.p95", None, 0.2, True, "lower", judged=False)
    found = compare_sides(
        slower(3.0), [parse_tolerance("goodput=10%"), off], base="main", source="baseline", level=0.95
    )
    assert found.verdict == "pass"
    assert [change.judged for change in found.measures] == [True, False]
    assert found.measures[1].why.startswith("shown, not judged: ttft.p95: 200 % worse")
    assert (found.measures[1].verdict, found.measures[1].p) == ("inconclusive", None)


NEVER = {"time_to_recover": math.inf}


def test_never_recovering_where_the_base_does_is_a_regression_in_enough_pairs() -> None:
    change = one(sides([NEVER] * 5), "time_to_recover=3 s")
    assert (change.verdict, change.here, change.there, change.change) == ("fail", math.inf, 4.0, math.inf)
    assert change.why == "time_to_recover: never in 5 of 5 runs, in 0 of 5 of the base"
    assert change.p == pytest.approx(1 / 252)


def test_never_recovering_in_too_few_runs_is_undecided_and_says_how_many_would_do() -> None:
    change = one(sides([NEVER, NEVER, {}, {}, {}]), "time_to_recover=3 s")
    assert change.verdict == "inconclusive"
    assert "never in 2 of 5 runs, in 0 of 5 of the base: too few runs to tell; 4 pairs tell always" in change.why


def test_a_base_that_never_recovers_cannot_be_undercut() -> None:
    for head in (NEVER, {}):
        change = one(sides([head] * 5, [NEVER] * 5), "time_to_recover=3 s")
        assert change.verdict == "pass"
        assert change.why == "time_to_recover: never in any run of the base, tolerance 3 s"
    assert one(sides([NEVER] * 5, [NEVER] * 5), "time_to_recover=3 s").change == 0.0
    assert one(sides([{}] * 5, [NEVER] * 5), "time_to_recover=3 s").change == -math.inf


def test_finite_pairs_decide_where_only_the_base_sometimes_never_recovered() -> None:
    change = one(sides([{}] * 6, [NEVER, *[{}] * 5]), "time_to_recover=3 s")
    assert (change.verdict, change.there) == ("pass", 4.0)
    assert "never in 0 of 6 runs, in 1 of 6 of the base" in change.why
    few = one(sides([{}] * 5, [NEVER, *[{}] * 4]), "time_to_recover=3 s")
    assert few.verdict == "inconclusive"
    assert "finite on both sides in only 4 pairs" in few.why


def test_never_as_often_on_both_sides_is_undecided() -> None:
    pairs = sides([NEVER, *[{}] * 6], [{}, NEVER, *[{}] * 5])
    assert one(pairs, "time_to_recover=3 s").verdict == "inconclusive"


def test_a_rate_that_falls_to_zero_is_a_regression() -> None:
    change = one(sides([{"goodput": 0.0}] * 5, [{"goodput": 500.0 * w} for w in WIGGLE[:5]]), "goodput=10%")
    assert change.verdict == "fail"
    assert change.change == pytest.approx(-1.0)


def test_a_base_of_zero_has_no_relative_change() -> None:
    zero, more = {"ttft.p95": 0.0}, {"ttft.p95": 1.0}
    assert one(sides([zero] * 5, [zero] * 5), "ttft.p95=20%").verdict == "pass"
    change = one(sides([more] * 5, [zero] * 5), "ttft.p95=20%")
    assert change.verdict == "inconclusive"
    assert "its base is 0" in change.why


def test_a_share_that_never_varied_is_not_believed_to_be_exact() -> None:
    pairs = sides([{"session_success": 1.0}] * 5, [{"session_success": 1.0}] * 5)
    change = one(pairs, "session_success=2 points")
    assert change.verdict == "pass"
    assert change.interval is not None
    assert change.interval[0] == pytest.approx(-float(stats.t.ppf(0.975, 4)) / 70 / math.sqrt(5))
    assert one(pairs, "session_success=1 points").verdict == "inconclusive"


def test_times_that_are_equal_in_every_pair_are_decided_with_a_spread() -> None:
    """Half the width of the interval: 2.776 / sqrt(5) of a twentieth of the tolerance."""
    same = one(sides([{}] * 5), "time_to_recover=3 s")
    assert same.verdict == "pass"
    assert same.spread == 0.0
    assert same.interval == pytest.approx((-0.186, 0.186), abs=0.001)
    assert one(sides([{"time_to_recover": 8.0}] * 5), "time_to_recover=3 s").verdict == "fail"
    assert one(sides([{"time_to_recover": 7.0}] * 5), "time_to_recover=3 s").verdict == "inconclusive"


def test_the_interval_follows_the_level() -> None:
    wide, narrow = (judged(slower(1.1), "ttft.p95=20%", level=level).measures[0] for level in (0.99, 0.9))
    assert wide.interval is not None
    assert narrow.interval is not None
    assert wide.interval[0] < narrow.interval[0] < narrow.interval[1] < wide.interval[1]
    assert "99 % interval" in wide.why
    with pytest.raises(ValueError, match="level"):
        judged([], "ttft.p95=20%", level=0.3)


def test_a_comparison_survives_being_written_and_read() -> None:
    found = judged(sides([NEVER] * 5), "time_to_recover=3 s", "sessions_lost=1", "ttft.p95=20%")
    experiment = ExperimentResult("a", "", "", "fail", 1, (), (), (), 1.0, comparison=found)
    result = Result("fail", 1, (), (experiment,), "2026-11-28", 1.0, "", "0.1")
    assert Result.from_json(result.to_json()) == result


extremes = st.one_of(st.just(0.0), st.just(math.inf), st.floats(1e-9, 1e9), st.none())


@settings(max_examples=60, deadline=None)
@given(data=st.data(), pairs=st.integers(0, 7))
def test_whatever_was_measured_has_one_of_three_verdicts(data: st.DataObject, pairs: int) -> None:
    names = ("ttft.p95", "time_to_recover", "goodput", "slo_attainment", "sessions_lost")
    drawn: list[list[dict[str, Any]]] = [
        [{name: data.draw(extremes) for name in names} for _ in range(pairs)] for _ in range(2)
    ]
    tolerances = ("ttft.p95=20%", "time_to_recover=3 s", "goodput=10%", "slo_attainment=5 points", "sessions_lost=1")
    found = judged(sides(*drawn), *tolerances)
    assert found.verdict in ("pass", "fail", "inconclusive")
    assert found.why
    for change in found.measures:
        numbers = (change.here, change.there, change.change, *(change.interval or ()))
        assert not any(number is not None and math.isnan(number) for number in numbers)
        if change.interval is not None and change.change is not None:
            assert change.interval[0] <= change.change <= change.interval[1]


def most(repetitions: int) -> float:
    """More wrong words than this come by chance in 1 of 100 tests at most, if their rate is 2.5 %."""
    return float(stats.binom.isf(0.01, repetitions, 0.025))


def verdicts(case: Case, repetitions: int) -> Counter[str]:
    rng = np.random.default_rng(case.pairs)
    return Counter(compared(rng, case).verdict for _ in range(repetitions))


@pytest.mark.parametrize("noise", ["normal", "heavy-tailed"])
def test_at_exactly_the_tolerance_both_words_are_rare_over_all_measures(noise: str) -> None:
    found = verdicts(Case("at tolerance", 5, noise, 0.02, 1.0), 200)
    assert found["fail"] <= most(200)
    assert found["pass"] <= most(200)


def test_without_a_difference_nothing_fails_and_most_comparisons_pass() -> None:
    found = verdicts(Case("equal", MIN_PAIRS, "normal", 0.01), 150)
    assert found["fail"] == 0
    assert found["pass"] > 130


@pytest.mark.parametrize(("size", "word"), [(0.0, "pass"), (2.0, "fail")])
def test_a_measure_far_from_its_tolerance_is_decided(size: float, word: str) -> None:
    found = verdicts(Case("one measure", 5, "normal", 0.02, size, "ttft.p95"), 100)
    assert found[word] >= 99


def test_a_typed_tolerance_for_what_no_run_has_is_never_passed() -> None:
    pairs = slower(1.0)
    silent = compare_sides(pairs, declared_tolerances(), base="main", source="interleaved")
    assert silent.verdict == "pass"
    assert "failover.p95" not in {change.measure for change in silent.measures}
    typed = declared_tolerances(["failover.p95=2 s", "time_to_detect=off", "ttft.p95=20%"])
    found = compare_sides(pairs, typed, base="main", source="interleaved")
    assert found.verdict == "inconclusive"
    assert found.why == ("failover.p95: not measured in any run, so its tolerance of 2 s decides nothing",)
    [change] = [change for change in found.judged if change.verdict == "inconclusive"]
    assert (change.here, change.there, change.change, change.interval, change.p) == (None,) * 5
    assert all(one.change is not None for one in set(found.measures) - {change})


def test_a_typed_tolerance_adds_nothing_where_no_pair_counts() -> None:
    typed = declared_tolerances(["failover.p95=2 s"])
    found = compare_sides([], typed, base="main", source="interleaved")
    assert (found.verdict, found.measures) == ("inconclusive", ())


def test_runs_that_never_recover_equally_often_are_seldom_a_regression() -> None:
    assert verdicts(Case("never", 8, sd=0.5, measure="time_to_recover"), 400)["fail"] <= most(400)
