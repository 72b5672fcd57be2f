"""The table of A/A pairs, and the experiment without a fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import honesty
from chaos.experiment.model import load_experiment


def pair(seed: int, difference: float, verdict: str = "sound") -> dict[str, Any]:
    difference_row = {
        "here": 2.0 + difference,
        "there": 2.0,
        "difference": difference,
        "unit": "s",
        "beyond_sessions": difference > 0.15,
    }
    runs = [{"verdict": "pass"}, {"verdict": "pass"}]
    return {"kind": "pair", "seed": seed, "verdict": verdict, "runs": runs, "differences": {"ttft.p95": difference_row}}


def test_pairs_differ_if_their_mean_difference_is_not_0() -> None:
    """0.1, 0.2 and 0.3 s: standard error 0.0577 s, t quantile of 95 % with two degrees of freedom 4.303."""
    text = honesty.pair_table([pair(1, 0.1), pair(2, 0.2), pair(3, 0.3), pair(4, 9.0, honesty.IN_DOUBT)])
    assert "3 pairs: 6 pass; pairs with a failed gate: none. 1 more ran on a busy machine" in text
    assert "| `ttft.p95` | 2.1 s | +200 ms (± 248.4 ms) | no | 200 ms, 300 ms | 2 of 3 |" in text
    text = honesty.pair_table([pair(1, 0.19), pair(2, 0.2), pair(3, 0.21)])
    assert "| +200 ms (± 24.8 ms) | yes |" in text


def test_the_quiet_experiment_has_no_fault_and_no_gate_about_faults(tmp_path: Path) -> None:
    quiet = load_experiment(honesty.write_quiet(tmp_path))
    assert quiet.faults == ()
    assert {gate.measure for gate in quiet.gates} >= {"sessions_lost", "slo_attainment", "prefill_amplification"}
    assert not [gate for gate in quiet.gates if gate.spec.about_fault or gate.phase == "fault"]
