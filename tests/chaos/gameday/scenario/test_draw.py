"""The draw, and what a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.gameday.core.plan import Drawn
from chaos.gameday.scenario.draw import candidates, chosen_by, draw, families, load_game_day
from chaos.gameday.scenario.model import scenario_names
from reports.shared.errors import UserError
from tests.support.scenario_files import write


def test_the_same_seed_draws_the_same_one_and_other_seeds_draw_others() -> None:
    assert draw(3, "demand").plan.name == chosen_by(3, "demand").name == draw(3, "demand").plan.name
    drawn = {chosen_by(seed, "demand").name for seed in range(30)}
    assert len(drawn) >= 3
    assert drawn <= {one.name for one in candidates() if one.family == "demand"}


def test_what_was_drawn_says_by_what_and_tells_responders_nothing() -> None:
    for seed in range(2):
        plan = draw(seed, "grey-failure").plan
        assert plan.drawn == Drawn(seed=seed, family="grey-failure")
        assert plan.public_title == "Game day"


def test_a_family_without_anything_to_draw_is_refused_with_those_that_have() -> None:
    with pytest.raises(UserError, match='did you mean "demand"'):
        draw(1, "demnd")
    with pytest.raises(UserError, match="--draw -1"):
        draw(-1, "demand")


def test_every_family_that_is_named_can_be_drawn_from() -> None:
    assert families() == sorted({one.family for one in candidates()})
    assert {one.name for one in candidates() if one.source == "scenario"} == set(scenario_names())


def test_a_name_is_that_of_a_scenario_or_an_experiment(tmp_path: Path) -> None:
    assert load_game_day("one-slow-chip").plan.source == "scenario"
    assert load_game_day("grey-failure").plan.source == "experiment"
    assert load_game_day(write(tmp_path)).plan.source == "scenario"
    with pytest.raises(UserError, match='no scenario or experiment "one-slow-chp"\n    did you mean "one-slow-chip"'):
        load_game_day("one-slow-chp")
    with pytest.raises(UserError, match=r"no-such\.yaml"):
        load_game_day("no-such.yaml")
