"""An exercise without steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.gameday.scenario.free import free_game_day
from reports.shared.errors import UserError


def test_without_options_it_is_the_stack_and_the_load_for_game_days() -> None:
    day = free_game_day()
    assert day.experiment.stack is not None
    assert (day.experiment.stack.name, day.experiment.profile.name) == ("game-day", "game-day")
    assert (day.plan.source, day.plan.steps, day.plan.length_s) == ("free", (), None)


def test_a_stack_a_profile_and_a_seed_can_be_named() -> None:
    day = free_game_day(stack="naive", profile="chat", seed=3)
    assert day.experiment.stack is not None
    assert (day.experiment.stack.name, day.experiment.profile.name, day.experiment.seed) == ("naive", "chat", 3)


def test_the_target_of_a_file_can_be_used(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    target.write_text("brownout: 1\ntarget: {stack: in-house-chip}\n")
    stack = free_game_day(target=target).experiment.stack
    assert stack is not None
    assert stack.name == "in-house-chip"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stack": "multi-clod"}, 'did you mean "multi-cloud"'),
        ({"profile": "chta"}, 'did you mean "chat"'),
        ({"seed": -1}, "--seed -1"),
        ({"stack": "naive", "target": Path("x.yaml")}, "exclude each other"),
        ({"target": Path("no-such.yaml")}, "no such file"),
    ],
)
def test_wrong_options_are_refused_with_a_remedy(options: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        free_game_day(**options)  # type: ignore[arg-type]
