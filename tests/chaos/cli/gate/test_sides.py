"""What `--against` names, and the command that plays a run of a side alone."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.cli.gate.request import GateRequest
from chaos.cli.gate.sides import OWN_SIDE, SideOptions, other_side, run_command
from chaos.experiment.model import load_experiment
from reports.shared.errors import UserError
from targets.stack import STACKS


def test_a_stack_a_gateway_and_files_are_told_apart(tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    target.write_text("brownout: 1\ntarget: {url: 'http://127.0.0.1:1', model: m}\n")
    stack = tmp_path / "stack.yaml"
    stack.write_text((STACKS / "naive.yaml").read_text())
    head = SideOptions(stack="multi-cloud")
    assert other_side("naive", head) == SideOptions(stack="naive")
    behind = SideOptions(gateway="nginx:tuned")
    assert other_side("naive", behind) == SideOptions(stack="naive", gateway="nginx:tuned"), "one thing differs"
    assert other_side("nginx:tuned", head) == SideOptions(gateway="nginx:tuned", stack="multi-cloud")
    assert other_side(str(target), head) == SideOptions(target=target)
    assert other_side(str(stack), head) == SideOptions(stack=str(stack))


@pytest.mark.parametrize("against", ["nosuch", "", "nosuch:tuned"])
def test_what_is_none_of_these_is_refused_with_what_there_is(against: str) -> None:
    with pytest.raises(UserError, match="multi-cloud") as caught:
        other_side(against, OWN_SIDE)
    assert "nginx" in str(caught.value)


def test_the_command_of_a_run_has_its_side_its_scale_and_its_seed() -> None:
    experiment = replace(load_experiment("lose-tpu-pool", seed=9), scale=0.25)
    side = SideOptions(gateway="nginx:tuned", target=Path("my target.yaml"))
    command = run_command(experiment, "my file.yaml", side, GateRequest((), short=True, allow_exec=True))
    assert shlex.split(command) == [
        *("brownout", "run", "my file.yaml", "--gateway", "nginx:tuned", "--target", "my target.yaml"),
        *("--scale", "0.25", "--short", "--allow-exec", "--seed", "9"),
    ]
