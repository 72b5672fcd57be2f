"""The page for the meeting before a scenario is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.draft import GatewayChoice
from chaos.gameday.scenario.game_day import GameDay
from chaos.gameday.scenario.model import load_scenario, scenario_names
from chaos.gameday.scenario_runbook import scenario_runbook_markdown
from tests.support.scenario_files import made, write


def sections(day: GameDay) -> dict[str, str]:
    """The page by its headings of the second level."""
    text = scenario_runbook_markdown(day, words=("my day.yaml", "--seed", "8"))
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in text.split("\n## ")[1:]}


def test_the_page_has_the_run_sheet_and_what_ends_each_fault(tmp_path: Path) -> None:
    found = sections(made(tmp_path))
    assert "| 3:00 | fault | **slow: slow_decode on tpu-1 (factor 8)" in found["Run sheet"]
    assert "| 8:00 | hint | Compare the replicas." in found["Run sheet"]
    assert "| `slow` | restart tpu-1, or drain tpu |" in found["Run sheet"]
    assert "- [ ] Somebody looked at single replicas." in found["Expected findings"]
    assert "- `abort if session_success < 5% for 60s`" in found["How to stop it"]
    assert "brownout gameday 'my day.yaml' --seed 8" in found["Play it"]
    assert "You are on call." in found["What it is about"]


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_that_ships_has_a_whole_page(name: str) -> None:
    found = sections(load_scenario(name))
    assert "The scenario does not say." not in found["What to watch"] + found["What helps"]
    assert "in reserve: spare" in found["What is played"]
    assert "| Add a pool of the reserve | spare |" in found["What responders may do"]


def test_repairs_that_the_target_does_not_have_are_marked(tmp_path: Path) -> None:
    path = write(tmp_path, "[{restart: tpu-1}, {drain: tpu}]", "[{restart: tpu-1}]")
    found = sections(load_scenario(path, gateway=GatewayChoice("nginx")))
    assert "| Drain a pool | not possible: " in found["What responders may do"]
    assert "| Restart a replica | nvidia-0, " in found["What responders may do"]


def test_markup_in_the_file_is_shown_as_it_is(tmp_path: Path) -> None:
    text = scenario_runbook_markdown(made(tmp_path, "Compare the replicas.", '"</script><b>x|y"'), words=["x"])
    assert "<b>" not in text
    assert "</script>" not in text
