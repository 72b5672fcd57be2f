"""`brownout show`: one experiment in full."""

from __future__ import annotations

import json

import pytest

from chaos.cli.show import print_experiment


def test_an_experiment_is_shown_with_description_gates_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    print_experiment("lose-tpu-pool", as_json=False)
    shown = capsys.readouterr().out
    assert "Losing a third of the fleet mid-burst costs no agent session" in shown
    assert "lose-tpu-pool (capacity): multi-cloud, 70 s and a drain of at most 30 s" in shown
    assert "\nLook at: " in shown
    assert "\nWhat helps: " in shown
    assert "sessions_lost == 0   headline gate" in shown
    assert "brownout run lose-tpu-pool --twin" in shown


def test_an_experiment_as_json_names_its_headline_gate_also_by_the_former_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_experiment("lose-tpu-pool", as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert facts["headline_gate"] == facts["tells"] == "sessions_lost == 0"
