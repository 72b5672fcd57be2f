"""A restart of a process that has a fault: refused, or a repair that ends the fault there."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.by_hand.operations import HandOperations
from reports.shared.errors import TargetFailed, UserError
from targets.gateway.config import Operations
from targets.stack import load_stack
from tests.support.hand_rig import HandRig

FAULTS = ["latency --replica tpu-0 --delay 1s", "freeze --replica tpu-0", "slow_decode --replica tpu-0 --factor 4"]


@pytest.fixture
async def rig(tmp_path: Path) -> HandRig:
    return HandRig(tmp_path)


@pytest.mark.parametrize("line", FAULTS)
async def test_a_repair_ends_the_fault_and_starts_the_process_again(rig: HandRig, line: str) -> None:
    await rig.ask("inject", line)
    reply = await rig.ask("restart", process="tpu-0", even_if_faulty=True)
    assert reply == {"text": "tpu-0 is ready", "ended": ["h1"], "left": []}
    assert rig.restarted == ["tpu-0"]
    assert rig.world.healthy
    assert not rig.world.armed
    assert rig.stages("h1") == ["planned", "injected", "confirmed", "reverted", "verified"]


async def test_a_killed_process_is_started_once_by_its_repair(rig: HandRig) -> None:
    await rig.ask("inject", "kill --replica tpu-0")
    assert (await rig.ask("operate", operation="restart", arguments={"replica": "tpu-0"}))["ended"] == ["h1"]
    assert rig.world.states["tpu-0"] == "running"
    assert rig.restarted == []


@pytest.mark.parametrize("line", ["latency --pool tpu --delay 1s", "freeze --pool tpu", "kill --pool tpu"])
async def test_a_fault_with_several_targets_ends_on_the_repaired_one_alone(rig: HandRig, line: str) -> None:
    await rig.ask("inject", line)
    reply = await rig.ask("restart", process="tpu-0", even_if_faulty=True)
    assert (reply["ended"], reply["left"]) == ([], ["h1"])
    (fault,) = rig.controls.status()["faults"]
    assert fault["targets"] == ["tpu-1"]
    assert "h1" in rig.world.armed
    assert (rig.world.states["tpu-0"], rig.world.behaviour_of["tpu-0"]) == ("running", {})
    assert rig.world.states["tpu-1"] != "running" or rig.world.behaviour_of["tpu-1"]
    await rig.ask("inject", "error_event --replica tpu-0")  # the fault is no longer there
    assert (await rig.ask("restart", process="tpu-1", even_if_faulty=True))["ended"] == ["h1"]
    await rig.ask("revert", fault="h2")
    assert rig.world.healthy
    assert not rig.world.armed
    assert rig.stages("h1") == ["planned", "injected", "confirmed", "repaired", "reverted", "verified"]


async def test_requests_hit_on_a_repaired_target_are_counted_to_the_end(rig: HandRig) -> None:
    await rig.ask("inject", "latency --pool tpu --delay 1s")
    await rig.ask("restart", process="tpu-0", even_if_faulty=True)
    await rig.ask("revert", fault="h1")
    assert rig.plays["h1"].played.hits == 2 * rig.world.hits


async def test_a_repair_that_fails_leaves_the_fault_where_it_was(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    rig.world.failing = {"start"}
    with pytest.raises(TargetFailed, match="tpu-0: h1 could not be ended there: start is not possible"):
        await rig.ask("restart", process="tpu-0", even_if_faulty=True)
    assert rig.controls.status()["faults"][0]["targets"] == ["tpu-0", "tpu-1"]
    rig.world.failing = set()
    await rig.ask("revert", fault="h1")
    assert rig.world.healthy


async def test_a_restart_of_the_gateway_ends_its_faults(rig: HandRig) -> None:
    await rig.ask("inject", "slow_scheduler --delay 20ms")
    assert (await rig.ask("operate", operation="restart_gateway", arguments={}))["ended"] == ["h1"]
    assert rig.restarted == ["gateway"]


async def test_without_repair_a_faulty_process_is_not_restarted(rig: HandRig) -> None:
    await rig.ask("inject", "latency --pool tpu --delay 1s")
    with pytest.raises(UserError, match=r"tpu-0: latency \(h1\) is active there"):
        await rig.ask("restart", process="tpu-0")


@pytest.mark.parametrize(
    ("operation", "arguments", "why"),
    [
        ("restart", {}, "restart needs one argument: replica"),
        ("restart", {"replica": "tpu-9"}, 'there is no process "tpu-9"'),
        ("restart", {"replica": "gateway"}, "restart needs one argument: replica"),
        ("restart_gateway", {"replica": "tpu-0"}, "restart_gateway needs no argument"),
        ("drain", {"pool": "tpu"}, "the gateway in front of these replicas is not brownout's"),
    ],
)
async def test_an_operation_that_is_not_possible_is_refused(
    rig: HandRig, operation: str, arguments: dict[str, str], why: str
) -> None:
    with pytest.raises(UserError, match=why):
        await rig.ask("operate", operation=operation, arguments=arguments)
    assert rig.events.actions() == []


async def test_operations_are_recorded_shown_and_undone(tmp_path: Path) -> None:
    sent: list[Operations] = []

    async def send(state: Operations) -> None:
        sent.append(state)

    rig = HandRig(tmp_path, operations=HandOperations(load_stack("game-day"), send, lambda: False))
    preview = await rig.ask("operate", operation="drain", arguments={"pool": "tpu"}, dry_run=True)
    assert preview == {"n": None, "text": "pool tpu is drained: 2 of 6 replicas get no new calls"}
    assert sent == []
    assert (await rig.ask("operate", operation="drain", arguments={"pool": "tpu"}))["n"] == 1
    await rig.ask("operate", operation="shed", arguments={"tier": "batch"})
    assert [one["text"] for one in rig.controls.status()["operations"]] == ["pool tpu is drained", "tier batch is shed"]
    await rig.ask("abort")  # reverts faults, and leaves what people repaired
    assert len(rig.controls.status()["operations"]) == 2
    assert (await rig.ask("undo", n="all"))["undone"] == [2, 1]
    assert sent[-1] == Operations()
    assert rig.events.actions() == ["operate", "operate", "abort", "undo", "undo"]
    for n, why in (("all", "no operation is in force"), (1, "no operation 1 is in force"), (True, "undo needs")):
        with pytest.raises(UserError, match=why):
            await rig.ask("undo", n=n)
