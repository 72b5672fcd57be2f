"""The timeline of an experiment: its steps, their order, and the phases."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.cli.check import plan_text
from chaos.experiment.load_estimate import LoadEstimate
from chaos.experiment.model import Experiment, load_experiment
from chaos.experiment.short_form import short_form
from chaos.experiment.timeline import Action, Step, phases, steps
from tests.support.timeline_rig import HEAD as HEAD_WITHOUT_FAULTS

HEAD = f"{HEAD_WITHOUT_FAULTS}  faults:\n"


def experiment(folder: Path, *faults: str, head: str = HEAD) -> Experiment:
    path = folder / "mine.yaml"
    entries = "".join(f"    - {fault}\n" for fault in faults)
    path.write_text(head + entries if faults else head.replace("  faults:\n", ""))
    return load_experiment(path)


def test_phases_injections_and_reverts_are_in_order_of_time(tmp_path: Path) -> None:
    made = experiment(
        tmp_path,
        "{at: 2s, for: 6s, kill: {pool: tpu}}",
        "{at: 1s, for: 3s, latency: {pool: nvidia, delay: 1s}}",
    )
    assert steps(made) == [
        Step(0, "phase", "warmup"),
        Step(5, "phase", "baseline"),
        Step(16, "phase", "fault"),
        Step(16, "inject", "f2"),
        Step(17, "inject", "f1"),
        Step(19, "revert", "f2"),
        Step(23, "revert", "f1"),
        Step(23, "phase", "recovery"),
        Step(43, "phase", "drain"),
        Step(51, "end", ""),
    ]
    assert phases(made) == {
        "warmup": (0, 5),
        "baseline": (5, 16),
        "fault": (16, 23),
        "recovery": (23, 43),
        "drain": (43, 51),
    }


def test_at_the_same_time_a_revert_comes_before_an_injection(tmp_path: Path) -> None:
    made = experiment(
        tmp_path,
        "{at: 0s, for: 5s, cut: {pool: tpu, how: fin}}",
        "{at: 5s, for: 5s, cut: {pool: tpu, how: rst}}",
    )
    assert [(step.at_s, step.action, step.what) for step in steps(made) if step.action != "phase"] == [
        (15, "inject", "f1"),
        (20, "revert", "f1"),
        (20, "inject", "f2"),
        (25, "revert", "f2"),
        (53, "end", ""),
    ]


LATENCY_THEN_KILL = {
    "full": (
        "20s",
        "{at: 300ms, for: 7900ms, latency: {pool: tpu, delay: 1s}}",
        "{at: 8200ms, for: 1s, kill: {pool: tpu}}",
    ),
    "short": ("10s", "{at: 6s, for: 12s, latency: {pool: tpu, delay: 1s}}", "{at: 18s, for: 10s, kill: {pool: tpu}}"),
}
"""Schedules whose revert and injection at one time differ by rounding."""


@pytest.mark.parametrize("form", LATENCY_THEN_KILL)
def test_rounding_puts_no_revert_after_an_injection_of_the_same_time(tmp_path: Path, form: str) -> None:
    recovery, *faults = LATENCY_THEN_KILL[form]
    made = experiment(tmp_path, *faults, head=HEAD.replace("recovery: 20s", f"recovery: {recovery}"))
    planned = steps(short_form(made) if form == "short" else made)
    order = [(step.action, step.what) for step in planned]
    assert order.index(("revert", "f1")) < order.index(("inject", "f2"))


def test_a_plan_promises_no_samples_of_a_notice_that_may_not_be_used(tmp_path: Path) -> None:
    made = experiment(tmp_path, "{at: 0s, for: 2s, terminate: {pool: tpu, notice: 30s, cold_start: 1s}}")
    assert phases(made)["fault"] == (15, 46)
    assert phases(made, earliest=True)["fault"] == (15, 18)
    assert phases(made, earliest=True)["recovery"] == (18, 38)


def test_a_restart_of_no_duration_is_injected_before_it_is_reverted(tmp_path: Path) -> None:
    made = experiment(tmp_path, "{at: 0s, restart: {pool: tpu}}")
    assert [(step.action, step.what) for step in steps(made)] == [
        ("phase", "warmup"),
        ("phase", "baseline"),
        ("phase", "fault"),
        ("inject", "f1"),
        ("revert", "f1"),
        ("phase", "recovery"),
        ("phase", "drain"),
        ("end", ""),
    ]


@pytest.mark.parametrize(
    ("fault", "revert_s", "recovery_s"),
    [
        ("{at: 1s, for: 5s, kill: {pool: tpu, cold_start: 4s}}", 21, 25),
        ("{at: 1s, for: 5s, terminate: {pool: tpu, notice: 9s, cold_start: 4s}}", 21, 29),
        ("{at: 1s, for: 5s, terminate: {pool: tpu, notice: 3s, cold_start: 4s}}", 21, 25),
        ("{at: 1s, restart: {pool: tpu, grace: 3s, cold_start: 4s}}", 16, 23),
        ("{at: 1s, for: 5s, flap: {pool: tpu, period: 2s, cold_start: 4s}}", 21, 25),
    ],
)
def test_the_recovery_begins_after_notice_grace_and_cold_start(
    tmp_path: Path, fault: str, revert_s: float, recovery_s: float
) -> None:
    made = experiment(tmp_path, fault)
    times = {(step.action, step.what): step.at_s for step in steps(made)}
    assert times["revert", "f1"] == revert_s
    assert times["phase", "recovery"] == recovery_s
    assert made.load_s == times["phase", "drain"] == recovery_s + 20
    text = plan_text(made, LoadEstimate(()), width=160)
    assert f"reverted, and verified by {recovery_s} s: after its " in text


def test_without_a_fault_there_is_no_fault_phase_and_no_recovery(tmp_path: Path) -> None:
    made = experiment(tmp_path, head=HEAD.replace("warmup: 5s", "warmup: 0s"))
    assert phases(made) == {"baseline": (0, 10), "drain": (10, 18)}


EVERY_ACTION = HEAD.replace(
    "timeline:\n", "steady_state: [slo_attainment >= 90%]\ntimeline:\n  confirm_metastable: true\n"
)
"""With faults, an experiment of this head has a step of each action."""

PLAN_LINES = {
    "judge_steady_state": "steady state judged",
    "inject": "f1: kill tpu-0, tpu-1",
    "revert": "f1: kill reverted, and verified",
    "confirm_metastable": "if the stack is still down: new sessions are shed",
    "end": "at the latest: end",
}
"""What the plan prints for each action besides `phase`, which is printed by the name of the phase."""


def test_every_action_has_a_step_and_the_plan_prints_a_line_for_each_step(tmp_path: Path) -> None:
    made = experiment(tmp_path, "{at: 1s, for: 5s, kill: {pool: tpu}}", head=EVERY_ACTION)
    planned = steps(made)
    assert {step.action for step in planned} == set(get_args(Action))
    text = plan_text(made, LoadEstimate(()), width=160)
    lines = text.partition("\nTimeline\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) == len(planned)
    for line, step in zip(lines, planned, strict=True):
        at, _, what = line.strip().partition(" s ")
        assert float(at) == step.at_s
        assert what.strip().startswith(step.what if step.action == "phase" else PLAN_LINES[step.action]), step


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    times=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 600)), min_size=1, max_size=4),
    parts=st.sampled_from([1, 10, 1000]),
    short=st.booleans(),
)
def test_each_fault_is_injected_then_reverted_once_and_phases_have_no_gaps(
    tmp_path: Path, times: list[tuple[int, int]], parts: int, short: bool
) -> None:
    made = experiment(
        tmp_path,
        *(f"{{at: {at / parts}s, for: {for_ / parts}s, latency: {{pool: tpu, delay: 1s}}}}" for at, for_ in times),
        head=HEAD.replace("5s", "2.3s"),
    )
    made = short_form(made) if short else made
    planned = steps(made)
    assert planned == sorted(planned, key=lambda step: step.at_s)
    for fault in made.faults:
        inject, revert = [step for step in planned if step.what == fault.id]
        assert (inject.action, revert.action) == ("inject", "revert")
        assert revert.at_s - inject.at_s == pytest.approx(fault.for_s)
    order = [(step.action, step.what) for step in planned]
    assert all(order.index(("revert", fault.id)) < order.index(("phase", "recovery")) for fault in made.faults)
    spans = list(phases(made).values())
    assert all(end == begin for (_, end), (begin, _) in pairwise(spans))
    begin, end = phases(made)["fault"]
    assert all(begin <= step.at_s <= end for step in planned if step.action in ("inject", "revert"))
