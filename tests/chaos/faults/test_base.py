"""The life of a fault, for every kind and whatever call fails."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.base import Fault, on_each
from chaos.faults.catalogue import KINDS
from chaos.faults.world import FaultError, Unreachable, World
from chaos.supervision.undo import check_record
from chaos.testing.memory_world import REPLICAS, MemoryWorld, play_life

WHOLE = {"pool": "tpu"}
SPECS = {
    "kill": WHOLE,
    "freeze": WHOLE,
    "restart": WHOLE,
    "terminate": {**WHOLE, "notice": "5s"},
    "flap": {**WHOLE, "period": "6s"},
    "latency": {**WHOLE, "delay": "300ms", "share": "50%"},
    "http_error": {**WHOLE, "status": 503, "retry_after": "2s"},
    "slow_headers": {**WHOLE, "delay": "1s", "tenant": "acme"},
    "never_answer": {**WHOLE, "after_requests": 2, "at_most": 3},
    "malformed": {**WHOLE, "how": "json", "header": {"x-beta": "1"}},
    "stall": {**WHOLE, "after_tokens": 5, "phase": "decode"},
    "cut": {**WHOLE, "how": "rst"},
    "slow_tokens": {**WHOLE, "gap": "300ms"},
    "trickle": WHOLE,
    "corrupt": {**WHOLE, "how": "line"},
    "error_event": {**WHOLE, "after_tokens": 5},
    "duplicate": WHOLE,
    "wrong_answer": {**WHOLE, "model": ["a", "b"]},
    "no_terminal": {**WHOLE, "share": "10%"},
    "slow_prefill": {**WHOLE, "factor": 4},
    "slow_decode": {**WHOLE, "factor": 4},
    "shrink_kv": {**WHOLE, "lost": "60%"},
    "flush_cache": {**WHOLE, "every": "200ms"},
    "shrink_batch": {**WHOLE, "max_sequences": 8},
    "preemption_storm": WHOLE,
    "lying_health": WHOLE,
    "stale_metrics": WHOLE,
    "slow_scheduler": {"delay": "50ms"},
    "stuck_config": {"replicas": "tpu-0"},
    "surge": {"factor": 10},
    "heavy_tenant": {"tenant": "acme", "share": "60%"},
    "long_reasoning": {"factor": 50, "share": "3%"},
    "retry_storm": {"timeout": "5s"},
    "exec": {"inject": ["a"], "confirm": ["b"], "revert": ["c"], "verify": ["d"]},
}
DISRUPTIVE = ("kill", "freeze", "add_behaviour", "order", "inject")


def fault_of(kind: str) -> Fault:
    spec = KINDS[kind].model_validate(SPECS[kind])
    return spec.build("f1", spec.select(REPLICAS, 7, "f1"), 7)


def test_every_kind_of_the_catalogue_has_a_spec_here() -> None:
    assert set(SPECS) == set(KINDS)
    assert all(name == spec.kind for name, spec in KINDS.items())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_whole_life_leaves_nothing_behind(kind: str) -> None:
    world, fault = MemoryWorld(), fault_of(kind)
    await fault.inject(world)
    assert not world.healthy
    touched = [name for name in world.states if world.states[name] != "running" or world.behaviour_of[name]]
    assert (touched or ["load"] * bool(world.orders) or ["system"]) == fault.targets
    await fault.confirm(world)
    await fault.revert(world)
    await fault.verify(world)
    assert world.healthy
    assert not world.armed


@pytest.mark.parametrize("kind", KINDS)
async def test_the_undo_is_recorded_before_the_injection_and_is_valid(kind: str) -> None:
    world, fault = MemoryWorld(), fault_of(kind)
    await fault.inject(world)
    assert world.log[0] == ("arm", "f1")
    undo = world.armed["f1"]
    assert len(undo) == len(fault.targets)
    processes = {"load": "locust"}
    assert [record.get("process", "system") for record in undo] == [processes.get(name, name) for name in fault.targets]
    for record in undo:
        # the supervisor adds the identity of the process to a signal
        identity = {"pid": 1, "start_time": 2, "boot_id": "b"} if record["do"] == "signal" else {}
        check_record({**record, **identity})


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_recorded_undo_there_is_no_injection(kind: str) -> None:
    world, fault = MemoryWorld(fail_at=0), fault_of(kind)
    with pytest.raises(FaultError):
        await fault.inject(world)
    assert world.healthy
    assert [what for what, _ in world.log] == ["arm"]


@pytest.mark.parametrize("kind", KINDS)
async def test_revert_may_be_called_before_the_injection_twice_and_after_verify(kind: str) -> None:
    world, fault = MemoryWorld(), fault_of(kind)
    await fault.revert(world)
    assert world.healthy
    await fault.inject(world)
    first = await fault.revert(world)
    assert await fault.revert(world) == first
    await fault.verify(world)
    assert await fault.revert(world) == first
    await fault.verify(world)
    assert world.healthy
    assert not world.armed


@pytest.mark.parametrize("kind", KINDS)
async def test_verify_fails_and_keeps_the_undo_while_the_fault_is_active(kind: str) -> None:
    world, fault = MemoryWorld(), fault_of(kind)
    await fault.inject(world)
    with pytest.raises(FaultError, match=r"of (tpu-0, tpu-1|load|gateway|system) was reverted, but its effect remains"):
        await fault.verify(world)
    assert "f1" in world.armed


@pytest.mark.parametrize("kind", KINDS)
async def test_confirm_fails_if_no_effect_is_observed(kind: str) -> None:
    world, fault = MemoryWorld(), fault_of(kind)
    with pytest.raises(
        FaultError, match=r"of (tpu-0, tpu-1|load|gateway|system) was injected, but its effect is not observed"
    ):
        await fault.confirm(world)


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(KINDS)), fail_at=st.integers(0, 30), fail_after=st.booleans())
async def test_whatever_call_fails_the_undo_came_first_and_the_fault_is_reverted(
    kind: str, fail_at: int, fail_after: bool
) -> None:
    world, fault = MemoryWorld(fail_at, fail_after=fail_after), fault_of(kind)
    try:
        await play_life(fault, world)
    except FaultError:
        # as the runner does: revert and verify again
        for _ in range(2):
            await fault.revert(world)
            await fault.verify(world)
    assert world.healthy
    assert not world.armed
    done = min(world.index_of(what) for what in DISRUPTIVE)
    assert world.index_of("arm") < done or done == len(world.log)


async def test_a_failure_at_one_target_does_not_prevent_injection_at_the_others() -> None:
    world, fault = MemoryWorld(fail_at=1), fault_of("kill")  # the kill of tpu-0
    with pytest.raises(FaultError, match="kill tpu-0 failed"):
        await fault.inject(world)
    assert world.states["tpu-1"] == "gone"
    await fault.revert(world)
    await fault.verify(world)
    assert world.healthy


async def test_on_each_tries_every_name_and_then_raises_the_first_error() -> None:
    tried: list[str] = []

    async def action(name: str) -> str:
        tried.append(name)
        if name in ("b", "c"):
            raise Unreachable(name)
        return name.upper()

    with pytest.raises(Unreachable, match="b"):
        await on_each(["a", "b", "c", "d"], action)
    assert tried == ["a", "b", "c", "d"]
    assert await on_each(["a", "d"], action) == ["A", "D"]


def test_the_memory_world_is_a_world() -> None:
    world: World = MemoryWorld()
    assert world.replicas["tpu-0"].cloud == "gcp"
