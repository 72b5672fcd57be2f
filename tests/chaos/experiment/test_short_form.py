"""The short form: every time is divided by one factor; what a fault does to a request is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import experiment_names, load_experiment
from chaos.experiment.resolved import resolve
from chaos.experiment.short_form import SHORT_DRAIN_S, SHORT_LOAD_S, short_form
from tests.support.run_helpers import write_experiment

FAULT = "{at: 4s, for: 16s, restart: {pool: right, cold_start: 8s, grace: 2s}}"


def test_every_time_is_divided_by_one_factor(tmp_path: Path) -> None:
    path = write_experiment(tmp_path, fault=FAULT, guardrails="guardrails: [abort if error_rate > 50% for 1s]")
    text = path.read_text().replace("baseline: 2s", "baseline: 9s").replace("recovery: 2s", "recovery: 10s")
    path.write_text(text)
    experiment = load_experiment(path)
    assert experiment.load_s == 48
    short = short_form(experiment)
    assert short.load_s == pytest.approx(8)
    assert (short.timeline.warmup_s, short.timeline.baseline_s, short.timeline.recovery_s) == pytest.approx(
        (1 / 6, 9 / 6, 10 / 6)
    )
    (fault,) = short.faults
    assert (fault.at_s, fault.for_s) == pytest.approx((4 / 6, 16 / 6))
    assert fault.params == {"grace_s": pytest.approx(2 / 6), "cold_start_s": pytest.approx(8 / 6)}
    assert fault.targets == experiment.faults[0].targets
    assert short.timeline.drain_s == 5
    assert short.guardrails == ()
    assert short.gates == experiment.gates
    assert resolve(short)["short_form"] is True
    assert resolve(experiment)["short_form"] is False


def test_the_share_grows_so_that_as_many_requests_are_hit(tmp_path: Path) -> None:
    path = write_experiment(tmp_path, fault="{at: 0s, for: 27s, cut: {pool: right, share: 10%, how: fin}}")
    experiment = load_experiment(path)
    assert experiment.load_s == 32
    (fault,) = short_form(experiment).faults
    assert fault.share == pytest.approx(0.4)


def test_an_experiment_that_is_already_short_keeps_its_length(tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(tmp_path))
    assert experiment.load_s == 7
    assert short_form(experiment).load_s == 7


@pytest.mark.parametrize("name", experiment_names())
def test_every_shipped_experiment_has_a_short_form_of_8_seconds(name: str) -> None:
    short = short_form(load_experiment(name))
    assert short.load_s <= SHORT_LOAD_S + 1e-6
    assert short.timeline.drain_s <= SHORT_DRAIN_S
