"""When an entry occurs, and which replicas it affects each time; the same for the same seed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.cli.check import plan_text
from chaos.cli.plan import estimated
from chaos.experiment.model import load_experiment
from chaos.experiment.resolved import resolve
from chaos.experiment.schedule import Occurrence, Schedule, occurrences
from chaos.faults.catalogue import KINDS
from chaos.faults.load.surge import Surge
from chaos.faults.process.kill import Kill
from chaos.testing.memory_world import REPLICAS

TPUS = Kill.model_validate({"pool": "tpu"})


def summary(found: list[Occurrence]) -> list[tuple[str, float, tuple[str, ...]]]:
    return [(occurrence.id, occurrence.at_s, occurrence.targets) for occurrence in found]


def test_an_entry_without_repetition_occurs_once_with_its_own_id() -> None:
    assert summary(occurrences("f1", Schedule(2.0, 5.0), TPUS, REPLICAS, 7)) == [("f1", 2.0, ("tpu-0", "tpu-1"))]


def test_every_is_the_interval_between_begins() -> None:
    found = occurrences("f2", Schedule(2.0, 3.0, every_s=5.0, times=3), TPUS, REPLICAS, 7)
    both = ("tpu-0", "tpu-1")
    assert summary(found) == [("f2.1", 2.0, both), ("f2.2", 7.0, both), ("f2.3", 12.0, both)]


def test_one_by_one_affects_each_replica_once_in_the_order_of_the_stack() -> None:
    every_replica = Kill.model_validate({"count": "all"})
    found = occurrences("f1", Schedule(0.0, 2.0, every_s=4.0, one_by_one=True), every_replica, REPLICAS, 7)
    assert summary(found) == [(f"f1.{n + 1}", 4.0 * n, (replica.name,)) for n, replica in enumerate(REPLICAS)]
    assert found[1].spec == Kill.model_validate({"replica": "nvidia-1", "count": "all"})


def test_one_by_one_starts_over_if_there_are_more_times_than_replicas() -> None:
    found = occurrences("f1", Schedule(0.0, 1.0, every_s=4.0, times=3, one_by_one=True), TPUS, REPLICAS, 7)
    assert [occurrence.targets for occurrence in found] == [("tpu-0",), ("tpu-1",), ("tpu-0",)]


def test_count_draws_new_targets_for_each_occurrence_from_the_seed() -> None:
    one_replica = Kill.model_validate({"count": "one"})
    found = occurrences("f1", Schedule(0.0, 1.0, every_s=4.0, times=20), one_replica, REPLICAS, 7)
    assert found == occurrences("f1", Schedule(0.0, 1.0, every_s=4.0, times=20), one_replica, REPLICAS, 7)
    assert len({occurrence.targets for occurrence in found}) > 3


def test_a_fault_of_the_load_can_repeat_too() -> None:
    found = occurrences("f1", Schedule(0.0, 2.0, every_s=10.0, times=2), Surge(factor=3), REPLICAS, 7)
    assert summary(found) == [("f1.1", 0.0, ("load",)), ("f1.2", 10.0, ("load",))]


@given(seed=st.integers(0, 2**32), times=st.integers(1, 8), for_s=st.floats(0.0, 3.0))
def test_random_times_are_in_their_window_in_order_and_do_not_overlap(seed: int, times: int, for_s: float) -> None:
    schedule = Schedule(5.0, for_s, random_s=30.0, times=times)
    found = occurrences("f1", schedule, TPUS, REPLICAS, seed)
    begins = [occurrence.at_s for occurrence in found]
    assert len(begins) == times
    assert all(5.0 <= at <= 35.0 - for_s + 0.001 for at in begins)
    assert all(after - before >= for_s - 0.002 for before, after in pairwise(begins))
    assert found == occurrences("f1", schedule, TPUS, REPLICAS, seed)


def test_random_times_follow_from_the_seed() -> None:
    schedule = Schedule(0.0, 1.0, random_s=60.0, times=5)
    assert occurrences("f1", schedule, TPUS, REPLICAS, 7) != occurrences("f1", schedule, TPUS, REPLICAS, 8)


TEXT = """\
brownout: 1
name: mine
title: a hypothesis
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
timeline:
  warmup: 0s
  baseline: 10s
  recovery: 10s
  faults:
    - {for: 2s, every: 4s, one_by_one: true, kill: {pool: tpu}}
    - {at: 10s, for: 2s, every: 3s, times: 2, surge: {factor: 3}}
gates: [sessions_lost == 0]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return path


def test_an_experiment_has_one_fault_per_occurrence(path: Path) -> None:
    made = load_experiment(path)
    assert [(fault.id, fault.at_s, fault.for_s, fault.targets) for fault in made.faults] == [
        ("f1.1", 0.0, 2.0, ("tpu-0",)),
        ("f1.2", 4.0, 2.0, ("tpu-1",)),
        ("f2.1", 10.0, 2.0, ("load",)),
        ("f2.2", 13.0, 2.0, ("load",)),
    ]
    assert made.load_s == 35
    record = resolve(made)
    assert [fault["id"] for fault in record["faults"]] == ["f1.1", "f1.2", "f2.1", "f2.2"]
    assert record["timeline"]["faults"][1]["kill"]["replica"] == ["tpu-1"]


def test_the_plan_shows_each_occurrence(path: Path) -> None:
    made = load_experiment(path)
    text = plan_text(made, estimated(made), width=160)
    assert "10 s    f1.1: kill tpu-0" in text
    assert "14 s    f1.2: kill tpu-1" in text
    assert "25 s    f2.2: surge reverted, and verified" in text


def test_a_command_must_have_ended_before_the_same_entry_runs_it_again() -> None:
    spec = KINDS["exec"].model_validate({"inject": ["a"], "revert": ["b"]})
    first, again = occurrences("f1", Schedule(0.0, 2.0, every_s=5.0, times=2), spec, REPLICAS, 7)
    (other,) = occurrences("f2", Schedule(0.0, 2.0), spec, REPLICAS, 7)
    assert first.conflicts(again) == ["system"]
    assert first.conflicts(other) == []
