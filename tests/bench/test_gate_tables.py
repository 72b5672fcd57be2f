"""The tables of `gate_honesty`: figures of known stores, what is missing, and what must not be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bench.gate_tables import Stored, findings_of, problems, report_text
from bench.plants import COMPARED
from reports.gating.regressions import Pair
from reports.gating.run_values import RunValues

PLANT = COMPARED[0]


def run(seed: int, ttft: float = 0.5, recover: float = 3.0) -> RunValues:
    cells: Any = {"run": 400.0}
    measures: Any = {"ttft.p95": {"run": ttft}, "time_to_recover": {"run": recover}, "sessions_lost": {"run": 0.0}}
    return RunValues(seed, "2026-11-28", True, False, cells, cells, measures)


def pairs(first: int, count: int, sd: float = 0.02, second: float = 1.0) -> list[Pair]:
    rng = np.random.default_rng(first)
    return [
        (run(seed, 0.5 * math.exp(sd * rng.normal())), run(seed, second * 0.5 * math.exp(sd * rng.normal())))
        for seed in range(first, first + count)
    ]


def store(**more: Any) -> Stored:
    made = pairs(2001, 20)
    return Stored(
        "cloud-outage",
        20,
        made,
        bases={PLANT.experiment: {first.seed: [first, second] for first, second in made}},
        plants=[PLANT],
        commits=("abc",),
        machine="2 cores",
        **more,
    )


def test_a_store_of_equal_runs_has_no_false_alarm_and_a_small_bound() -> None:
    found = findings_of(store(), draws=60, size_draws=0)
    assert problems(found) == []
    assert {count: one.verdicts["fail"] for count, one in found.verdicts.items()} == {5: 0, 8: 0, 10: 0}
    assert all(0 < bound < 0.03 for bound in found.bounds.values())
    text = report_text(store(), found)
    assert "| 5 | 0 of 60 | 4.87% | " in text
    assert "First and second runs of a seed do not differ" in text
    assert "| `ttft.p95` | 20 % | 0 of 20 |" in text
    assert "commit abc, on 2 cores" in text


def test_a_store_of_unequal_runs_has_a_bound_that_is_too_high() -> None:
    """The second run of each seed is twice as slow: by chance, all of them are on one side."""
    found = findings_of(replace(store(), pairs=pairs(2001, 20, second=2.0)), draws=60, size_draws=0)
    assert found.bounds[5] == 1.0
    assert [text.partition(":")[0] for text in problems(found)] == [
        f"False alarms with {count} pairs" for count in (5, 8, 10)
    ]
    text = report_text(store(), found)
    assert "| `ttft.p95` | 20 % | 20 of 20 | 5" in text
    assert "First and second runs of a seed differ" in text


def test_the_same_store_always_gives_the_same_text() -> None:
    first, second = (report_text(store(), findings_of(store(), draws=30, size_draws=10)) for _ in range(2))
    assert first == second
    assert "**The size that is found**" in first


def test_sizes_are_given_for_each_measure_that_is_always_finite() -> None:
    stored = store()
    never = [(run(2001, recover=math.inf), run(2001)), *stored.pairs[1:]]
    found = findings_of(replace(stored, pairs=never), draws=10, size_draws=20)
    assert found.sizes["time_to_recover", 5] is None
    dose = found.sizes["ttft.p95", 5]
    assert dose is not None
    assert 0.2 < dose.size < 0.4
    lines = [line for line in report_text(stored, found).splitlines() if line.startswith("| `time_to_recover` | 3 s |")]
    assert lines[-1].count("not finite in every run") == 3


def test_few_pairs_give_tables_of_few_pairs_only() -> None:
    stored = replace(store(unplayed=20, doubted=1), pairs=pairs(2001, 12))
    found = findings_of(stored, draws=10, size_draws=0)
    assert list(found.verdicts) == [5]
    assert problems(found) == [f"False alarms with 5 pairs: the upper bound is {found.bounds[5]:.2%} (at most 3%)."]
    text = report_text(stored, found)
    assert (
        "No table of comparisons with 8 or 10 pairs: 12 of 20 pairs of equal runs are stored, and 16 are needed" in text
    )
    assert "- 20 runs are not played yet" in text
    assert "- 1 run is not counted" in text


def test_no_pairs_are_no_proof() -> None:
    stored = replace(store(), pairs=[])
    found = findings_of(stored, draws=10, size_draws=0)
    assert problems(found) == ["The rate of false alarms is unknown: too few pairs count."]
    assert "Fewer than 5 pairs of runs of: no migration" in report_text(stored, found)


def test_live_gates_are_judged_each_and_together() -> None:
    stored = store(live=[pairs(3001, 5), pairs(3006, 5)], live_verdicts=["pass", "pass"])
    found = findings_of(stored, draws=10, size_draws=0)
    assert [one.pairs for one in found.live] == [5, 5, 10]
    text = report_text(stored, found)
    assert "| 3001 to 3005 | 5 | pass | pass |" in text
    assert "| 3001 to 3010 | 10 | all gates together | pass |" in text
    assert problems(found) == []


def test_a_live_gate_that_failed_is_a_problem() -> None:
    slow = [(second, first) for first, second in pairs(3001, 5, second=2.0)]
    found = findings_of(store(live=[slow], live_verdicts=["fail"]), draws=10, size_draws=0)
    (text,) = problems(found)
    assert text.startswith("A live comparison failed: ttft.p95: ")


def test_the_share_of_plants_found_is_over_independent_comparisons() -> None:
    heads = {PLANT.name: [run(seed, 1.0) for seed in range(2001, 2011)]}
    stored = store(heads=heads)
    found = findings_of(stored, draws=10, size_draws=0)
    assert [(group.found, group.choices) for group in found.planted[PLANT.name]] == [(32, 32), (32, 32)]
    text = report_text(stored, found)
    assert f"| {PLANT.name} | {PLANT.experiment} | 32 of 32 | `ttft.p95` (32) | `ttft.p95` 5" in text
    assert "2 of 2 independent comparisons (lower 95 % bound of the share: 22%)" in text


def test_runs_of_several_commits_are_said() -> None:
    stored = replace(store(), commits=("abc", "def+changes"))
    text = report_text(stored, findings_of(stored, draws=5, size_draws=0))
    assert "The runs come from 2 commits" in text
    assert "files of the checkout differed" in text
