"""Gates that decide nothing are refused with line and remedy; gates that hardly do get a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import experiment_names, load_experiment
from tests.support.experiment_files import FIRST_GATE, accepted, refused


@pytest.mark.parametrize(
    ("gate", "what", "remedy"),
    [
        ("sessions_lost >= 0", "can never fail: sessions_lost is at least 0", "a value that it can have and can miss"),
        ("sessions_lost < 0", "can never pass: sessions_lost is at least 0", "can miss"),
        ("session_success <= 100%", "can never fail: session_success is between 0% and 100%", "can miss"),
        (
            "session_success >= 100%",
            "can never pass: session_success is an estimate, and its 95 % interval always reaches below 100%",
            "write sessions_lost == 0, or a value that leaves room for doubt",
        ),
        (
            "error_rate <= 0%",
            "can never pass: error_rate is an estimate, and its 95 % interval always reaches above 0%",
            "write calls_failed == 0",
        ),
        ("session_success > 0%", "can never fail: session_success is an estimate", "can miss"),
        ("error_rate == 1%", "can never pass: error_rate is an estimate, and its 95 % interval is wider", "<= or >="),
        ("ttft.p95 == 2 s", "can never pass: ttft.p95 is measured, and it is never exactly 2 s", "<= or >= a value"),
        ("ttft.p95 != 2 s", "can never fail: ttft.p95 is measured, and it is never exactly 2 s", "<= or >= a value"),
        ("ttft.p95 > 0 s", "can never fail: ttft.p95 is always above 0 s", "can miss"),
        (
            "ttft.p95 during fault == 2 x baseline",
            "can never pass: ttft.p95 is an estimate, and its 95 % interval is wider than one value",
            "<= or >=",
        ),
        (
            "ttft.max during fault == 2 x baseline",
            "can never pass: ttft.max is measured, and it is never exactly 2 x baseline",
            "<= or >=",
        ),
        ("metastable == 2", "can never pass: metastable is 0 or 1", "can miss"),
        ("goodput_lost <= 100%", "can never fail: goodput_lost is at most 100%", "can miss"),
        ("load_imbalance >= 1", "can never fail: load_imbalance is at least 1x", "can miss"),
    ],
)
def test_a_gate_that_decides_nothing_is_refused(tmp_path: Path, gate: str, what: str, remedy: str) -> None:
    found = refused(tmp_path, "sessions_lost <= 3", gate, recovery="700s")
    assert [line for line, *_ in found] == [FIRST_GATE + 1]
    assert found[0][1].startswith(f'"{gate}" {what}')
    assert remedy in found[0][2]


def test_a_knee_is_a_multiple_of_a_fifth_of_a_session_a_second(tmp_path: Path) -> None:
    [(_, what, _)] = refused(tmp_path, "knee == 8.3", load="rising-ci")
    assert what.endswith("knee is a multiple of 0.2 sessions/s")
    assert accepted(tmp_path, "knee == 8.2", load="rising-ci").gates


def test_the_fairness_of_few_tenants_has_a_narrower_range(tmp_path: Path) -> None:
    tenants = len(accepted(tmp_path, "fairness >= 90%", load="tiered-ci").profile.tenants)
    [(_, what, _)] = refused(tmp_path, f"fairness >= {99 / tenants:.4g}%", load="tiered-ci")
    assert f"fairness is between {100 / tenants:.4g}% and 100%" in what


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("session_success >= 97%", "session_success >= 0.97"),
        ("sessions_lost == 0", "{gate: sessions_lost < 1, on_inconclusive: fail}"),
        ("ttft.p95 <= 2 s", "ttft.p95 <= 2000 ms"),
    ],
)
def test_the_same_gate_twice_is_refused(tmp_path: Path, one: str, other: str) -> None:
    [(line, what, remedy)] = refused(tmp_path, one, "shed == 0", other)
    assert (line, remedy) == (FIRST_GATE + 2, "remove one")
    assert f'is the same gate as "{one}" on line {FIRST_GATE}' in what


def test_gates_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "sessions_lost == 0", "sessions_lost during fault >= 5") == [
        (
            FIRST_GATE + 1,
            f'"sessions_lost during fault >= 5" contradicts "sessions_lost == 0" on line {FIRST_GATE}: '
            "no run passes both",
            "remove one, or change its value",
        )
    ]


def test_a_gate_that_decides_nothing_is_not_compared_with_the_others(tmp_path: Path) -> None:
    assert len(refused(tmp_path, "sessions_lost < 0", "sessions_lost >= 1")) == 1


def test_steady_state_is_a_list_of_its_own(tmp_path: Path) -> None:
    gate = "slo_attainment in baseline >= 90%"
    assert accepted(tmp_path, gate, guardrails="]\nsteady_state: [slo_attainment >= 90%").warnings == ()
    twice = "]\nsteady_state: [slo_attainment >= 90%, slo_attainment in baseline >= 0.9"
    [(_, what, _)] = refused(tmp_path, gate, guardrails=twice)
    assert "is the same gate as" in what


@pytest.mark.parametrize(
    ("gates", "what"),
    [
        (
            ("sessions_lost <= 5", "sessions_lost == 0"),
            f'"sessions_lost <= 5" adds nothing: it passes wherever "sessions_lost == 0" on line {FIRST_GATE + 1} does',
        ),
        (
            ("error_rate during fault <= 2 x baseline",),
            "error_rate is 0 in the baseline of a healthy stack, and 0 has no factor: the gate is inconclusive then",
        ),
        (("metastable == 1",), "a run that is metastable ends with exit code 1, whatever its gates say"),
    ],
)
def test_a_gate_that_hardly_decides_gets_a_warning(tmp_path: Path, gates: tuple[str, ...], what: str) -> None:
    [warning] = accepted(tmp_path, *gates, recovery="700s").warnings
    assert warning.gate.text == gates[0]
    assert warning.problem.line == FIRST_GATE
    assert what in warning.problem.what
    assert warning.problem.remedy


def test_the_shipped_experiments_have_no_warning() -> None:
    assert [name for name in experiment_names() if load_experiment(name).warnings] == []
