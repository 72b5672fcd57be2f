"""What commands do to a stack: faults, processes, load, abort and release."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reports.shared.errors import TargetFailed, UserError
from tests.support.hand_rig import HandRig


@pytest.fixture
async def rig(tmp_path: Path) -> HandRig:
    return HandRig(tmp_path)


async def refused(rig: HandRig, do: str, line: str = "", **more: object) -> str:
    with pytest.raises(UserError) as raised:
        await rig.ask(do, line, **more)
    return str(raised.value)


async def test_a_fault_is_injected_confirmed_reverted_and_recorded(rig: HandRig) -> None:
    reply = await rig.ask("inject", "kill --pool tpu")
    assert reply == {
        "fault": "h1",
        "text": "kill on tpu-0, tpu-1 (2 of 6 replicas), until brownout revert h1",
        "targets": ["tpu-0", "tpu-1"],
    }
    assert rig.world.states["tpu-0"] == "gone"
    (fault,) = rig.controls.status()["faults"]
    assert (fault["id"], fault["confirmed"], fault["ends_in_s"], fault["problem"]) == ("h1", True, None, "")
    assert (await rig.ask("revert", fault="h1"))["reverted"] == ["h1"]
    assert rig.world.healthy
    assert not rig.world.armed
    assert rig.stages("h1") == ["planned", "injected", "confirmed", "reverted", "verified"]
    assert rig.events.actions() == ["inject", "revert"]
    assert rig.controls.status()["faults"] == []


async def test_a_fault_with_an_end_is_reverted_by_itself(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu --for 0.05")
    async with asyncio.timeout(5):
        await rig.controls.faults["h1"].task
    assert rig.world.healthy
    assert (await rig.ask("revert", fault="h1"))["text"] == "h1 is reverted already"


async def test_a_dry_run_injects_nothing_and_takes_no_number(rig: HandRig) -> None:
    assert "2 of 6 replicas" in (await rig.ask("inject", "kill --pool tpu", dry_run=True))["text"]
    assert rig.world.log == []
    assert (await rig.ask("inject", "kill --pool tpu"))["fault"] == "h1"


async def test_without_a_name_every_fault_is_reverted(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    await rig.ask("inject", "freeze --pool nvidia")
    assert (await rig.ask("revert", fault=None))["reverted"] == ["h1", "h2"]
    assert rig.world.healthy
    assert "no fault is active" in await refused(rig, "revert", fault=None)
    assert 'no fault "h9"' in await refused(rig, "revert", fault="h9")


@pytest.mark.parametrize(("first", "second"), [("kill", "freeze"), ("freeze", "kill"), ("freeze", "never_answer")])
async def test_a_process_that_is_stopped_holds_no_other_fault(rig: HandRig, first: str, second: str) -> None:
    await rig.ask("inject", f"{first} --pool tpu")
    text = await refused(rig, "inject", f"{second} --replica tpu-1")
    assert text.startswith(f"tpu-1: {first} (h1) is active there")
    assert text.endswith("brownout revert h1")
    await rig.ask("revert", fault="h1")
    await rig.ask("inject", f"{second} --replica tpu-1")


async def test_faults_inside_a_process_may_overlap(rig: HandRig) -> None:
    await rig.ask("inject", "never_answer --pool tpu --share 30%")
    await rig.ask("inject", "latency --pool tpu --delay 300ms")
    assert set(rig.world.behaviour_of["tpu-0"]) == {"h1", "h2"}


@pytest.mark.parametrize("line", ["kill --replica tpu-0", "latency --pool tpu --delay 1s"])
async def test_a_process_that_is_down_gets_no_fault(rig: HandRig, line: str) -> None:
    rig.world.states["tpu-0"] = "gone"
    assert await refused(rig, "inject", line) == "tpu-0: the process is down\n    brownout restart tpu-0"


async def test_a_gateway_that_is_down_gets_no_fault(rig: HandRig) -> None:
    rig.world.states["gateway"] = "gone"
    assert "brownout restart gateway" in await refused(rig, "inject", "slow_scheduler --delay 20ms")


async def test_a_fault_of_the_load_needs_a_load(rig: HandRig) -> None:
    assert "brownout load start" in await refused(rig, "inject", "surge --factor 2")
    await rig.ask("load_start")
    await rig.ask("inject", "surge --factor 2")
    assert "surge (h1) changes the load\n    brownout revert h1" in await refused(rig, "load_stop")
    rig.load.running = False  # its process has died
    assert "surge (h1) changes the load" in await refused(rig, "load_start")
    await rig.ask("revert", fault="h1")
    await rig.ask("load_start")


async def test_a_fault_names_tenants_of_the_profile_that_runs(rig: HandRig) -> None:
    line = "heavy_tenant --tenant acme --share 60%"
    await rig.ask("load_start")
    assert "has no tenants" in await refused(rig, "inject", line)
    await rig.ask("load_stop")
    await rig.ask("load_start", profile="tiered-ci")
    await rig.ask("inject", line)


async def test_an_injection_that_fails_is_reverted_and_said(rig: HandRig) -> None:
    rig.world.failing = {"kill"}
    with pytest.raises(TargetFailed, match="could not be injected: kill is not possible"):
        await rig.ask("inject", "kill --pool tpu")
    assert rig.world.healthy
    assert rig.controls.status()["faults"] == []
    assert rig.events.actions() == []


async def test_a_full_disk_is_the_reason_that_is_told(rig: HandRig) -> None:
    rig.events.full_from = "confirmed"
    with pytest.raises(TargetFailed, match="the disk is full"):
        await rig.ask("inject", "kill --pool tpu")
    assert rig.world.healthy


async def test_a_fault_whose_revert_fails_stays_and_can_be_tried_again(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    rig.world.failing = {"start"}
    for _ in range(2):
        with pytest.raises(TargetFailed, match="could not be reverted: start is not possible"):
            await rig.ask("revert", fault="h1")
        (fault,) = rig.controls.status()["faults"]
        assert "could not be reverted" in fault["problem"]
    assert "kill (h1) is active there" in await refused(rig, "restart", process="tpu-0")
    rig.world.failing = set()
    assert (await rig.ask("revert", fault="h1"))["reverted"] == ["h1"]
    assert rig.world.healthy
    assert rig.controls.status()["faults"] == []


async def test_a_process_is_started_again_unless_a_fault_is_active_there(rig: HandRig) -> None:
    rig.world.states["tpu-0"] = "gone"
    assert (await rig.ask("restart", process="tpu-0"))["text"] == "tpu-0 is ready"
    await rig.ask("restart", process="gateway")
    assert rig.restarted == ["tpu-0", "gateway"]
    assert 'no process "tpu-9"' in await refused(rig, "restart", process="tpu-9")
    await rig.ask("inject", "latency --pool tpu --delay 1s")
    assert "latency (h1) is active there\n    brownout revert h1" in await refused(rig, "restart", process="tpu-1")
    assert rig.events.actions() == ["restart", "restart", "inject"]


async def test_without_a_gateway_there_is_none_to_restart_and_no_load(tmp_path: Path) -> None:
    rig = HandRig(tmp_path, gateway=False)
    assert 'no process "gateway"' in await refused(rig, "restart", process="gateway")
    assert "no gateway in front of these replicas" in await refused(rig, "load_start")


async def test_the_load_is_started_once_and_stopped(rig: HandRig) -> None:
    assert (await rig.ask("load_stop"))["text"] == "no load is running"
    assert "seed 5" in (await rig.ask("load_start", seed=5))["text"]
    assert "running already" in await refused(rig, "load_start")
    assert 'no profile "nope"' in await refused(rig, "load_start", profile="nope") or rig.load.running
    await rig.ask("load_stop")
    assert rig.events.actions() == ["load_start", "load_stop"]


async def test_abort_reverts_everything_and_refuses_until_release(rig: HandRig) -> None:
    await rig.ask("load_start")
    await rig.ask("inject", "kill --pool tpu")
    reply = await rig.ask("abort")
    assert reply["text"].startswith("reverted and verified: h1; no load")
    assert rig.world.healthy
    assert rig.load.stopped == 1
    for do, line in (("inject", "kill --pool tpu"), ("load_start", "")):
        assert "brownout release" in await refused(rig, do, line)
    await rig.ask("restart", process="tpu-0")
    await rig.ask("release")
    assert (await rig.ask("release"))["text"] == "nothing was aborted"
    await rig.ask("inject", "kill --pool tpu")
    assert rig.events.actions() == ["load_start", "inject", "abort", "restart", "release", "inject"]


async def test_abort_of_an_experiment_ends_its_run(tmp_path: Path) -> None:
    rig = HandRig(tmp_path, load=False)
    assert "it has its own load" in await refused(rig, "load_start")
    assert "brownout abort" in await refused(rig, "load_stop")
    await rig.ask("abort")
    assert rig.ended_by == ["aborted by hand"]


async def test_faults_of_the_experiment_are_left_to_it(rig: HandRig) -> None:
    await rig.ask("inject", "freeze --pool tpu")
    rig.plays["f1"] = rig.plays.pop("h1")  # as if the timeline had injected it
    rig.controls.faults.clear()
    assert rig.controls.status()["of_experiment"] == [{"id": "f1", "kind": "freeze", "targets": ["tpu-0", "tpu-1"]}]
    assert "freeze (f1) of the experiment is active there" in await refused(
        rig, "inject", "latency --pool tpu --delay 1s"
    )
    assert "freeze (f1) of the experiment is active there" in await refused(rig, "restart", process="tpu-0")
    assert "it belongs to the experiment, which reverts it" in await refused(rig, "revert", fault="f1")
    await rig.ask("inject", "kill --pool nvidia")


async def test_the_end_of_the_stack_reverts_every_fault(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu --for 60s")
    await rig.ask("inject", "freeze --pool nvidia")
    await rig.controls.close()
    assert rig.world.healthy


async def test_a_command_of_another_version_is_named(rig: HandRig) -> None:
    assert "another version" in await refused(rig, "explode")


async def test_the_level_of_the_load_is_set_and_recorded(rig: HandRig) -> None:
    assert rig.load.level == 1.0
    assert (await rig.ask("load_level", level=2))["text"] == "the load is 2 times the profile's"
    assert (rig.load.level, rig.events.actions()) == (2.0, ["load_level"])
    for wrong in (True, "2", None):
        with pytest.raises(UserError, match="level is a number"):
            await rig.ask("load_level", level=wrong)
    assert rig.load.level == 2.0
