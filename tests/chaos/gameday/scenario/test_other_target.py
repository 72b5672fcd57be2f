"""A scenario on a target that cannot play it: one message, which says what helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.draft import GatewayChoice
from chaos.gameday.scenario.model import load_scenario
from chaos.gameday.scenario.other_target import OtherTarget
from reports.shared.errors import InvalidFile
from tests.support.scenario_files import write


def test_what_the_target_lacks_is_said_once_with_its_lines_and_what_helps(tmp_path: Path) -> None:
    with pytest.raises(OtherTarget) as caught:
        load_scenario("one-slow-chip", gateway=GatewayChoice("nginx", "tuned"))
    said = str(caught.value).splitlines()
    assert said[0].endswith("one-slow-chip.yaml cannot be played with --gateway nginx:tuned:")
    assert len([line for line in said if "drain is not possible" in line]) == 1
    assert any(line.startswith("    lines ") and "drain is not possible" in line for line in said)
    assert said[-1].startswith("    leave --gateway out; or play brownout gameday --free --gateway nginx:tuned")
    with pytest.raises(OtherTarget, match=r"line 32: add_pool is not possible .*\n    leave --stack out"):
        load_scenario("one-cloud-gone", stack="multi-cloud")


def test_a_file_that_is_wrong_on_its_own_target_too_says_that_first(tmp_path: Path) -> None:
    path = write(tmp_path, "after: 8m", "after: 25m")
    with pytest.raises(InvalidFile, match="comes at 25 min") as caught:
        load_scenario(path, gateway=GatewayChoice("nginx"))
    assert not isinstance(caught.value, OtherTarget)


def test_mistakes_in_the_file_of_the_target_are_said_with_their_lines(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    target.write_text("brownout: 1\ntarget: {stak: multi-cloud}\n")
    with pytest.raises(InvalidFile, match=r'target\.yaml:2: unknown key "stak"'):
        load_scenario("one-slow-chip", target=target)
