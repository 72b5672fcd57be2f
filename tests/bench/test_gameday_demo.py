"""The game day that plays itself: its scenario, and what it checks in the report."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bench.gameday_demo import PICTURES, SCENARIO, main, problems_of
from chaos.gameday.scenario.draw import load_game_day

EXERCISE: dict[str, Any] = {
    "restored": {"verified": True},
    "truth": [
        {"kind": "slow_decode", "ended_by": "repair"},
        {"kind": "slow_prefill", "ended_by": "repair"},
        {"kind": "kill", "ended_by": "abort"},
    ],
    "beliefs": [{"verdict": "wrong"}, {"verdict": "right"}],
    "times": [
        {"who": "people", "period": 1, "what": "time to notice", "seconds": 4.0},
        {"who": "people", "period": 2, "what": "time to diagnose", "seconds": "never"},
        {"who": "system", "period": 1, "what": "time to detect", "seconds": "never"},
    ],
}


def exercise(**changed: Any) -> dict[str, Any]:
    return {**copy.deepcopy(EXERCISE), **changed}


def test_the_scenario_is_valid_and_plays_on_the_game_day_stack() -> None:
    day = load_game_day(str(SCENARIO))
    assert [step.kind for step in day.plan.steps] == ["slow_decode", "slow_prefill"]
    assert day.experiment.stack is not None
    assert day.experiment.stack.name == "game-day"


def test_a_report_in_which_everything_held_has_no_problem() -> None:
    assert problems_of(exercise()) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"restored": {"verified": False}}, "restored and verified"),
        ({"restored": None}, "restored and verified"),
        ({"truth": EXERCISE["truth"][:2]}, "kill should have been ended by abort, and was by nothing: not played"),
        ({"beliefs": [{"verdict": "right"}]}, "should be wrong, right, and are right"),
        ({"times": [{**EXERCISE["times"][0], "seconds": "never"}]}, "time to notice of people is no time"),
        ({"times": [{**EXERCISE["times"][0], "seconds": -1.0}]}, "time to notice of people is no time"),
    ],
)
def test_what_did_not_hold_is_said_in_a_sentence(changed: dict[str, Any], problem: str) -> None:
    (found,) = problems_of(exercise(**changed))
    assert problem in found


def test_without_chromium_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.gameday_demo.shutil.which", lambda _name: None)
    assert main([]) == 2
    assert "apt-get install chromium" in capsys.readouterr().err


def test_pictures_of_the_documentation_have_the_names_of_game_days() -> None:
    assert sorted(PICTURES.values()) == [
        *("gameday-controls.png", "gameday-postmortem.png", "gameday-responder.png", "gameday-wall.png")
    ]
