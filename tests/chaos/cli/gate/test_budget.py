"""The time of a gate: `--within`."""

from __future__ import annotations

import pytest

from chaos.cli.gate.budget import Budget
from tests.support.gate_runs import FakeClock


def budget(limit_s: float | None, spent_s: float = 0.0) -> Budget:
    clock = FakeClock()
    made = Budget(limit_s, clock)
    clock.now_s += spent_s
    return made


def test_without_a_limit_every_run_may_begin() -> None:
    assert budget(None, 1e9).refuses(60.0) == ""
    assert budget(None).retries(60.0, 3) == 3


@pytest.mark.parametrize(
    ("spent_s", "runs", "kept_s", "may"), [(0, 1, 0, True), (541, 1, 0, False), (0, 2, 500, False)]
)
def test_a_run_begins_only_where_it_would_end_in_time(spent_s: float, runs: int, kept_s: float, may: bool) -> None:
    said = budget(600.0, spent_s).refuses(60.0, runs, kept_s=kept_s)
    assert (said == "") is may
    assert may or "--within 10 min" in said


@pytest.mark.parametrize(("spent_s", "retries"), [(0, 3), (400, 2), (480, 1), (500, 0), (590, 0)])
def test_retries_are_those_that_fit_beside_the_run(spent_s: float, retries: int) -> None:
    assert budget(600.0, spent_s).retries(60.0, 3) == retries
