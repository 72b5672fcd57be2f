"""`exec`: what its commands may be, and which of them runs when."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chaos.faults.system.exec import Exec, ExecFault
from chaos.faults.world import FaultError
from chaos.testing.memory_world import MemoryWorld, play_life

GIVEN = {"inject": ["docker", "stop", "tpu-0"], "revert": ["docker", "start", "tpu-0"]}
CONFIRMED = {**GIVEN, "confirm": ["is", "down"], "verify": ["is", "up"]}


def fault_of(**given: Any) -> ExecFault:
    fault = Exec.model_validate(given).build("f1", ["system"], 7)
    assert isinstance(fault, ExecFault)
    return fault


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("docker stop tpu-0", r"write a list of words: \[docker, stop, tpu-0\]; for a shell, name it: \[sh, -c,"),
        ([], "is not a command"),
        ({"docker": "stop"}, "is not a command"),
        (["sleep", 5], '5 is not text. write each word as text, a number in quotes: [^"]*"5"'),
        ([" ", "a"], "the program has no name"),
        (["a", "b\0"], "NUL"),
    ],
)
def test_what_is_no_list_of_words_is_refused_with_a_remedy(words: object, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Exec.model_validate({**GIVEN, "inject": words})


def test_inject_and_revert_are_required() -> None:
    for name in GIVEN:
        with pytest.raises(ValidationError, match="Field required"):
            Exec.model_validate({key: value for key, value in GIVEN.items() if key != name})


async def test_the_undo_is_the_revert_command_with_its_folder_and_its_time() -> None:
    world = MemoryWorld()
    await fault_of(**GIVEN, timeout="3s", env=["KUBECONFIG"]).inject(world)
    (undo,) = world.armed["f1"]
    assert undo == {
        "do": "exec",
        "argv": GIVEN["revert"],
        "cwd": world.commands_from,
        "timeout_s": 3.0,
        "env": ["KUBECONFIG"],
    }


async def test_the_commands_run_in_the_order_of_a_life() -> None:
    world = MemoryWorld()
    await play_life(fault_of(**CONFIRMED), world)
    assert [what for what, _ in world.log] == ["arm", "inject", "confirm", "revert", "verify", "disarm"]


async def test_without_confirm_the_exit_code_of_inject_confirms_and_the_record_says_so() -> None:
    world, fault = MemoryWorld(), fault_of(**GIVEN)
    assert await play_life(fault, world) is None
    assert [what for what, _ in world.log] == ["arm", "inject", "revert", "disarm"]
    assert fault.confirmed_by == "the exit code of inject: there is no confirm command"
    assert fault_of(**CONFIRMED).confirmed_by == ""


@pytest.mark.parametrize("stage", ["inject", "revert"])
async def test_a_failure_names_the_command_and_what_it_said(stage: Any) -> None:
    world, fault = MemoryWorld(), fault_of(**CONFIRMED)
    world.refused[stage] = "exit code 7; its output ends: no such container"
    with pytest.raises(FaultError, match=rf"{stage}: docker \w+ tpu-0: exit code 7; .*no such container"):
        await play_life(fault, world)
    assert "f1" in world.armed


@pytest.mark.parametrize("stage", ["confirm", "verify"])
async def test_a_condition_that_stays_false_says_why(stage: Any) -> None:
    world, fault = MemoryWorld(), fault_of(**CONFIRMED)
    world.refused[stage] = "exit code 7"
    with pytest.raises(FaultError, match=rf"its effect (is not observed|remains); {stage}: is \w+: exit code 7"):
        await play_life(fault, world)
    assert ("sleep", "0.25") in world.log
    assert "f1" in world.armed


def test_a_revert_at_the_end_has_the_time_of_its_commands() -> None:
    assert fault_of(**GIVEN, timeout="3s").last_revert_within_s == 5.0
    assert fault_of(**CONFIRMED, timeout="3s").last_revert_within_s == 8.0
