"""Runs compared by their sides: which runs form a side and a pair, and what is said to differ. By simulation too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.comparison.sides import ComparedRun, Side, contrasts, sides_of
from tests.support.compared_reports import compared_report

PAIR_NOTE = "one pair"


def run(value: float = 0.4, *, folder: str = "runs/a", lost: float = 0, **changes: Any) -> ComparedRun:
    values = {"calls": 400.0, "sessions_lost": lost, "ttft.p95": value}
    return compared_report(values, folder=Path(folder), **changes)


def unjudged(here: ComparedRun, there: ComparedRun) -> Mapping[str, Any]:
    return {"note": PAIR_NOTE}


def compared(here: list[ComparedRun], there: list[ComparedRun]) -> dict[str, Any]:
    (contrast,) = contrasts([Side("there", tuple(there)), Side("here", tuple(here))], unjudged)
    return contrast


def differing(contrast: dict[str, Any]) -> set[str]:
    return {row["measure"] for row in contrast["rows"] if row["differs"]}


def test_the_runs_of_one_stack_are_a_side() -> None:
    runs = [run(stack=stack, seed=seed) for seed in (1, 2) for stack in ("well", "naive")]
    assert [(side.label, len(side.runs)) for side in sides_of(runs)] == [("well", 2), ("naive", 2)]


def test_runs_without_the_faults_are_the_first_side() -> None:
    runs = [run(), run(name="lose-tpu-pool-twin", twin_of="a")]
    assert [side.label for side in sides_of(runs)] == ["well, without the faults", "well"]


def test_runs_of_one_stack_are_divided_by_their_folder() -> None:
    runs = [run(folder=f"{side}/{number}", seed=number) for side in ("base", "head") for number in (1, 2)]
    assert [(side.label, len(side.runs)) for side in sides_of(runs)] == [("base", 2), ("head", 2)]
    runs = [run(folder=f"{side}/runs/{number}", seed=number) for side in ("base", "head") for number in (1, 2)]
    assert [Path(side.label).parent.name for side in sides_of(runs)] == ["base", "head"]


def test_two_runs_in_one_folder_are_a_side_each_and_more_are_one() -> None:
    assert [side.label for side in sides_of([run(folder="runs/a"), run(folder="runs/b")])] == ["a", "b"]
    assert len(sides_of([run(folder=f"runs/{name}") for name in "abc"])) == 1


def test_runs_are_paired_by_seed() -> None:
    here = [run(seed=seed) for seed in (3, 1, 9)]
    there = [run(seed=seed) for seed in (1, 2, 3)]
    contrast = compared(here, there)
    assert (contrast["pairs"], contrast["seeds"]) == (2, [1, 3])


def test_runs_without_a_common_seed_are_no_pair() -> None:
    contrast = compared([run(seed=1)], [run(seed=2)])
    assert contrast["note"].startswith("no seed was played on both sides")
    assert contrast["rows"] == []


def test_a_single_pair_and_fewer_than_five_show_values_and_say_nothing_differs() -> None:
    one = compared([run(9.0, lost=80)], [run(0.1)])
    assert one["note"] == PAIR_NOTE
    few = compared([run(9.0, lost=80, seed=seed) for seed in range(4)], [run(0.1, seed=seed) for seed in range(4)])
    assert few["note"].startswith("4 pairs are too few to tell a difference from chance: play at least 5 seeds")
    for contrast in (one, few):
        assert {row["measure"]: row["here"] for row in contrast["rows"] if row["phase"] is None}["sessions_lost"] == 80
        assert not differing(contrast)
        assert {row["p"] for row in contrast["rows"]} == {None}


def test_five_pairs_tell_a_difference_with_its_interval() -> None:
    factors = (1.0, 1.01, 0.99, 1.02, 0.98)
    here = [run(0.5 * factor, lost=20 + seed, seed=seed) for seed, factor in enumerate(factors)]
    contrast = compared(here, [run(0.4, seed=seed) for seed in range(5)])
    assert (contrast["note"], contrast["pairs"]) == ("", 5)
    assert differing(contrast) == {"ttft.p95", "sessions_lost"}
    rows = {row["measure"]: row for row in contrast["rows"] if row["phase"] is None}
    p95 = rows["ttft.p95"]
    assert (p95["here"], p95["there"], p95["difference"]) == pytest.approx((0.5, 0.4, 0.1), rel=1e-3)
    low, high = p95["interval"]
    assert 0.08 < low < 0.1 < high < 0.12
    assert (rows["sessions_lost"]["here"], rows["sessions_lost"]["interval"]) == (22.0, None)


def test_counts_that_are_not_equal_are_no_difference() -> None:
    lost = (1, 2, 0, 1, 1)
    here = [run(lost=count, seed=seed) for seed, count in enumerate(lost)]
    assert not differing(compared(here, [run(seed=seed) for seed in range(5)]))
    always_one = [run(lost=1, seed=seed) for seed in range(5)]
    assert not differing(compared(always_one, [run(seed=seed) for seed in range(5)]))


def test_with_a_run_in_doubt_no_latency_differs_and_counts_may() -> None:
    here = [run(0.8, lost=20, seed=seed, doubts=("busy",) if seed == 2 else ()) for seed in range(5)]
    contrast = compared(here, [run(0.4, seed=seed) for seed in range(5)])
    assert differing(contrast) == {"sessions_lost"}
    assert "latencies are not compared" in contrast["doubt"]


def simulated(rng: np.random.Generator, seed: int, sd: float, factor: float = 1.0, lost: float = 2.0) -> ComparedRun:
    """A run with luck of its own in each measure: standard deviation `sd` between runs, Poisson counts."""
    names = ("ttft.p50", "ttft.p95", "tpot.p95", "e2e.p95", "goodput")
    values = {name: factor * float(np.exp(rng.normal(0, sd))) for name in names}
    share = {"slo_attainment": 1 - float(rng.poisson(4)) / 400}
    counts = {"calls": 400.0 + float(rng.integers(0, 5)), "sessions_lost": float(rng.poisson(lost))}
    return compared_report({**values, **share, **counts}, seed=seed)


@pytest.mark.parametrize("sd", [0.01, 0.02, 0.04])
def test_equal_stacks_differ_in_at_most_5_percent_of_comparisons(sd: float) -> None:
    rng = np.random.default_rng(int(sd * 100))
    alarms = 0
    for _ in range(300):
        sides = [[simulated(rng, seed, sd) for seed in range(5)] for _ in range(2)]
        alarms += bool(differing(compared(*sides)))
    assert alarms / 300 <= 0.05


def test_a_real_difference_between_stacks_is_found() -> None:
    """10 % with 1 % between runs, and 20 lost sessions instead of 2 a run, in eight pairs."""
    rng = np.random.default_rng(10)
    found = []
    for _ in range(60):
        here = [simulated(rng, seed, 0.01, factor=1.1, lost=20) for seed in range(8)]
        found.append(differing(compared(here, [simulated(rng, seed, 0.01) for seed in range(8)])))
    for name in ("ttft.p95", "goodput", "sessions_lost"):
        assert sum(name in names for names in found) >= 57
    assert sum("calls" in names for names in found) == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), sd=st.sampled_from([0.01, 0.1]), factor=st.sampled_from([1.0, 1.05, 1.5]))
def test_exchanged_sides_have_the_same_words_and_opposite_differences(seed: int, sd: float, factor: float) -> None:
    rng = np.random.default_rng(seed)
    here = [simulated(rng, at, sd, factor) for at in range(5)]
    there = [simulated(rng, at, sd) for at in range(5)]
    for one, other in zip(compared(here, there)["rows"], compared(there, here)["rows"], strict=True):
        assert (one["measure"], one["phase"], one["differs"]) == (other["measure"], other["phase"], other["differs"])
        assert one["p"] == pytest.approx(other["p"])
        assert one["difference"] == pytest.approx(-other["difference"])


def test_the_runs_of_one_stack_with_another_gateway_are_another_side() -> None:
    runs = [run(gateway=gateway, seed=seed) for seed in (1, 2) for gateway in ("nginx:default", "nginx:tuned")]
    labels = [side.label.split(" on ")[0] for side in sides_of(runs)]
    assert labels == ["nginx:default", "nginx:tuned"]


def test_the_runs_of_one_gateway_in_another_version_are_another_side() -> None:
    versions = ("1.22.1", "1.24.0")
    runs = [run(gateway="nginx:tuned", gateway_version=one, seed=seed) for seed in (1, 2) for one in versions]
    labels = [(side.label, len(side.runs)) for side in sides_of(runs)]
    assert labels == [(f"nginx:tuned on well, version {one}", 2) for one in versions]
