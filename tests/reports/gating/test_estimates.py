"""Gates on percentiles, shares and times over several runs, where a run has no finite value or none at all."""

from __future__ import annotations

from typing import Any

import pytest

from bench.repeats import gate_row, report_of
from brownout.result import GateResult
from reports.gating.repeated import judge_over_runs

MANY = "too many calls failed"


def slow(value: Any, low: Any, high: Any, judged: str) -> dict[str, Any]:
    """A gate on the TTFT of one run, with its own verdict."""
    row = gate_row("ttft.p95 <= 2 s", "percentile", "s", "<=", 2, 1.0, samples_needed=72, effective_samples=90.0)
    return {**row, "value": value, "interval": [low, high], "judged": judged, "verdict": judged, "why": MANY}


GOOD = slow(1.0, 0.9, 1.1, "pass")
NEVER = slow("never", 3.2, "never", "fail")
SURELY = slow("never", "never", "never", "fail")


def over(*gates: dict[str, Any]) -> GateResult:
    (found,) = judge_over_runs([report_of([gate], seed) for seed, gate in enumerate(gates, 11)])
    return found


@pytest.mark.parametrize(
    ("gates", "verdict"),
    [
        ([NEVER] * 5, "fail"),
        ([NEVER, slow(4.0, 3.0, 5.0, "fail")], "fail"),
        ([SURELY, SURELY, GOOD, GOOD, GOOD], "fail"),
        ([SURELY, GOOD, GOOD, GOOD, GOOD], "inconclusive"),
        ([NEVER, NEVER, GOOD, GOOD, GOOD], "inconclusive"),
        ([slow("never", 0.5, "never", "inconclusive")] * 2, "inconclusive"),
        ([GOOD] * 5, "pass"),
    ],
)
def test_a_percentile_that_is_never_fails_where_it_is_certain(gates: list[dict[str, Any]], verdict: str) -> None:
    found = over(*gates)
    assert found.verdict == verdict
    if verdict == "fail":
        assert found.why.startswith("never in run 1 (seed 11), not <= 2 s")


def test_a_run_without_a_value_because_calls_failed_does_not_let_the_others_pass() -> None:
    row = gate_row("tpot.p95 <= 1 s", "percentile", "s", "<=", 1, None, why="no call has this value")
    good = gate_row("tpot.p95 <= 1 s", "percentile", "s", "<=", 1, 0.1, interval=[0.09, 0.11])
    assert row["judged"] == "inconclusive"
    found = over(row, row, good, good, good)
    assert found.verdict == "inconclusive"
    assert "; but not every run has a value; runs 1 and 2 do not count: no call has this value" in found.why
    bad = gate_row("tpot.p95 <= 1 s", "percentile", "s", "<=", 1, 3.0, interval=[2.9, 3.1])
    assert over(row, bad, bad).verdict == "fail"


def test_a_run_without_interrupted_calls_says_nothing_about_failover() -> None:
    row = gate_row("failover.p95 <= 5 s", "percentile", "s", "<=", 5, None, why="no call was interrupted")
    good = gate_row("failover.p95 <= 5 s", "percentile", "s", "<=", 5, 0.5, interval=[0.4, 0.6])
    assert over(row, good, good, good).verdict == "pass"
