"""`--scale auto`: the ramp, and the factor that it shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.cli.output import Output
from chaos.cli.plan import estimated
from chaos.cli.scale_ramp import STEP_S, Peak, Ramped, fit_scale, peak_of, ramp_of, ramped
from chaos.cli.side_by_side import Variant
from chaos.experiment.load_estimate import estimate_load
from chaos.experiment.model import AlertSettings, load_experiment
from chaos.experiment.resolved import resolve
from loadprofiles.draws import Draws
from reports.shared.errors import UserError


def report(offered: list[float], good: list[float], verdict: str = "pass") -> dict[str, Any]:
    return {
        "phases": [{"name": "baseline", "start_s": 0.0, "end_s": float(len(offered))}],
        "timeline": {"offered": offered, "good": good},
        "verdict": {"verdict": verdict},
    }


def test_the_ramp_rises_from_a_sixteenth_of_the_peak_to_above_it() -> None:
    experiment = load_experiment("lose-tpu-pool")
    peak = peak_of(estimate_load(experiment.profile, None, 7, experiment.load_s))
    assert peak.sessions == pytest.approx((5 * 10 + 10 * 4.7) / 15, rel=0.3)
    ramp = ramp_of(experiment, peak)
    assert ramp.arrivals is not None
    rates = [ramp.arrivals.rate(STEP_S * step) / peak.sessions for step in range(6)]
    assert rates == pytest.approx([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.25, 1.25])
    assert (ramp.load_s, ramp.faults, ramp.name) == (5 * STEP_S, (), "lose-tpu-pool-scale")
    assert resolve(ramp)["timeline"]["faults"] == []


def test_the_ramp_receives_no_alerts_because_the_port_is_for_the_run() -> None:
    experiment = replace(load_experiment("lose-tpu-pool"), alerts=AlertSettings(9099))
    assert ramp_of(experiment, Peak(1.0, 1.0)).alerts is None


def test_a_load_without_calls_cannot_be_scaled_and_the_message_says_so(tmp_path: Path) -> None:
    experiment = load_experiment("lose-tpu-pool")
    none = replace(
        experiment, timeline=replace(experiment.timeline, warmup_s=0.0, baseline_s=0.0, recovery_s=0.0), faults=()
    )
    with pytest.raises(UserError, match="no call is planned in the 0 s"):
        fit_scale(Output(tmp_path, quiet=True), [(Variant(None, None, None), none)], command="")
    assert list(tmp_path.iterdir()) == []


def test_a_surge_is_not_in_the_peak_because_it_scales_along() -> None:
    experiment = load_experiment("traffic-surge")
    plain = peak_of(estimate_load(experiment.profile, None, experiment.seed, experiment.load_s))
    assert peak_of(estimated(experiment)).sessions > plain.sessions


def test_the_target_carries_the_highest_rate_at_which_its_calls_were_good() -> None:
    offered = [2.0] * 8 + [4.0] * 8 + [8.0] * 8 + [16.0] * 16
    good = [2.0] * 8 + [4.0] * 8 + [8.0] * 8 + [1.0] * 16
    found = ramped(report(offered, good))
    assert found.limited
    assert found.calls == pytest.approx(8.0)
    assert found.scale(Peak(4.0, 20.0)) == pytest.approx(0.32)


def test_a_load_whose_limit_was_not_met_is_not_scaled() -> None:
    assert ramped(report([10.0] * 40, [9.5] * 40)).scale(Peak(4.0, 100.0)) == 1.0
    assert Ramped(90.0, limited=True).scale(Peak(4.0, 50.0)) == 1.0


def test_a_ramp_that_was_stopped_met_its_limit() -> None:
    found = ramped(report([2.0] * 10, [2.0] * 10, verdict="aborted"))
    assert found == Ramped(2.0, limited=True)


def test_a_target_that_serves_nothing_has_no_factor() -> None:
    for offered in ([2.0] * 40, [0.0] * 40):
        found = ramped(report(offered, [0.0] * 40))
        assert found.scale(Peak(4.0, 20.0)) == 0.0


@pytest.mark.parametrize(("calls", "scale"), [(0.2, 0.008), (1.09, 0.043), (3.39, 0.13), (24.9, 0.99)])
def test_a_factor_has_two_digits_rounded_down(calls: float, scale: float) -> None:
    assert Ramped(calls, limited=True).scale(Peak(4.0, 20.0)) == pytest.approx(scale)


def test_a_scaled_load_has_the_same_sessions_at_a_lower_rate() -> None:
    whole = load_experiment("lose-tpu-pool")
    scaled = replace(whole, scale=0.2)
    assert len(estimated(scaled).sessions) == pytest.approx(0.2 * len(estimated(whole).sessions), abs=1)
    assert estimated(scaled).sessions[0].calls[0].ended_s > 0
    assert resolve(scaled)["load"]["scale"] == 0.2
    times = whole.profile.arrivals.scaled(0.2).arrivals(Draws(7).of("arrivals"))
    assert [session.start_s for session in estimated(scaled).sessions[:3]] == [next(times) for _ in range(3)]


@pytest.mark.parametrize("name", ["traffic-surge", "heavy-user"])
def test_demand_faults_scale_along_with_the_load(name: str) -> None:
    whole = load_experiment(name)

    def added(scale: float) -> int:
        return sum(bool(session.fault) for session in estimated(replace(whole, scale=scale)).sessions)

    assert added(0.5) == pytest.approx(0.5 * added(1.0), rel=0.05, abs=1)
