"""A target in memory, for tests of faults: replicas that are killed, frozen and given behaviours.

    world = MemoryWorld()
    hits = await play_life(spec.build("f1", ["tpu-0"], seed=7), world)
    assert world.healthy

`log` holds every call, and any call can be made to fail: a fault must be reverted whatever happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from chaos.faults.base import Fault
from chaos.faults.world import (
    EVERYWHERE,
    Command,
    CommandResult,
    CommandStage,
    DemandState,
    FaultError,
    ReplicaView,
    Undo,
    Unreachable,
    Where,
    World,
)
from loadprofiles.demand import Order

__all__ = ["REPLICAS", "MemoryWorld", "play_life"]

REPLICAS: Final = [
    ReplicaView(f"{pool}-{n}", pool, cloud)
    for pool, cloud in (("nvidia", "azure"), ("tpu", "gcp"), ("trainium", "aws"))
    for n in (0, 1)
]
"""Three pools of two replicas, each pool in a cloud of its own."""


class MemoryWorld:
    """Implements `chaos.faults.world.World`.

    Call number `fail_at` (from 0) raises `FaultError`, before its effect or, with `fail_after`, after it. `offers`: the
    places where a fault can act; all of them by default.

    Attributes that tests read: `log` ((call, name), in order), `states` (by process), `behaviour_of` (body by fault
    id, by process), `orders`, `commanded` (faults that an inject command injected and no revert command has reverted),
    `refused` (what the command of a stage says where it fails; tests fill it), `armed` (undo records by fault id),
    `cold_starts`, `waits` ((timeout, what) of each `until`). `hits` is what a removed behaviour and an order report.
    """

    def __init__(
        self,
        fail_at: int | None = None,
        *,
        fail_after: bool = False,
        offers: frozenset[Where] = EVERYWHERE,
    ) -> None:
        self.offers = offers
        self.replicas: Mapping[str, ReplicaView] = {replica.name: replica for replica in REPLICAS}
        self.states = dict.fromkeys((*self.replicas, "gateway"), "running")
        self.behaviour_of: dict[str, dict[str, Any]] = {name: {} for name in self.states}
        self.cold_starts: dict[str, float] = {}
        self.hits = 3
        self.orders: dict[str, Order] = {}
        self.commands_from = "/experiments"
        self.commanded: set[str] = set()
        self.refused: dict[CommandStage, str] = {}
        self.armed: dict[str, list[Undo]] = {}
        self.log: list[tuple[str, str]] = []
        self.fail_at = fail_at
        self.fail_after = fail_after
        self.waits: list[tuple[float, str]] = []

    def _step(self, what: str, name: str, act: Callable[[], Any] = lambda: None) -> Any:
        failing = len(self.log) == self.fail_at
        self.log.append((what, name))
        if failing and not self.fail_after:
            raise FaultError(f"{what} {name} failed")
        done = act()
        if failing:
            raise FaultError(f"{what} {name} failed after it was done")
        return done

    def _reachable(self, name: str) -> None:
        if self.states[name] != "running":
            raise Unreachable(f"{name} does not answer")

    @property
    def healthy(self) -> bool:
        """Whether no effect of any fault is left."""
        ordered = self.orders or self.commanded
        return set(self.states.values()) == {"running"} and not any(self.behaviour_of.values()) and not ordered

    async def kill(self, name: str) -> None:
        def act() -> None:
            self.states[name] = "gone"
            self.behaviour_of[name].clear()

        self._step("kill", name, act)

    async def terminate(self, name: str, *, grace_s: float) -> None:
        self.grace_s = grace_s
        await self.kill(name)

    async def sleep(self, seconds: float) -> None:
        self._step("sleep", f"{seconds:g}")
        await asyncio.sleep(0)

    async def freeze(self, name: str) -> None:
        self._step("freeze", name, lambda: self.states.update({name: "stopped"}))

    async def thaw(self, name: str) -> None:
        def act() -> None:
            if self.states[name] == "gone":
                raise FaultError(f"{name} is gone")
            self.states[name] = "running"

        self._step("thaw", name, act)

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        def act() -> None:
            if self.states[name] == "gone":
                self.states[name] = "running"
                self.cold_starts[name] = cold_start_s

        self._step("start", name, act)

    async def state(self, name: str) -> str:
        state: str = self._step("state", name, lambda: self.states[name])
        return state

    async def accepts(self, name: str) -> bool:
        accepts: bool = self._step("accepts", name, lambda: self.states[name] != "gone")
        return accepts

    async def ready(self, name: str) -> bool:
        ready: bool = self._step("ready", name, lambda: self.states[name] == "running")
        return ready

    async def add_behaviour(self, name: str, fault_id: str, body: dict[str, Any]) -> None:
        def act() -> None:
            self._reachable(name)
            self.behaviour_of[name][fault_id] = body

        self._step("add_behaviour", name, act)

    async def remove_behaviour(self, name: str, fault_id: str) -> int:
        def act() -> int:
            self._reachable(name)
            return self.hits if self.behaviour_of[name].pop(fault_id, None) else 0

        hits: int = self._step("remove_behaviour", name, act)
        return hits

    async def behaviours(self, name: str) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            self._reachable(name)
            return dict(self.behaviour_of[name])

        found: dict[str, Any] = self._step("behaviours", name, act)
        return found

    async def order_demand(self, order: Order) -> None:
        self._step("order", order.id, lambda: self.orders.update({order.id: order}))

    async def cancel_demand(self, fault_id: str) -> None:
        self._step("cancel_demand", fault_id, lambda: self.orders.pop(fault_id, None))

    async def demand_state(self, fault_id: str) -> DemandState:
        on = fault_id in self.orders
        ordered: DemandState = self._step("ordered", fault_id, lambda: DemandState(on, on, self.hits))
        return ordered

    async def run_command(self, fault_id: str, stage: CommandStage, command: Command) -> CommandResult:
        def act() -> CommandResult:
            if stage in self.refused:
                return CommandResult(False, self.refused[stage])
            if stage == "inject":
                self.commanded.add(fault_id)
            elif stage == "revert":
                self.commanded.discard(fault_id)
            return CommandResult((fault_id in self.commanded) == (stage in ("inject", "confirm")), "exit code 1")

        result: CommandResult = self._step(stage, fault_id, act)
        return result

    def behaviour_url(self, name: str, fault_id: str) -> str:
        return f"http://127.0.0.1:20001/behaviours/{fault_id}"

    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        self._step("arm", fault_id, lambda: self.armed.update({fault_id: list(undo)}))

    async def disarm(self, fault_id: str) -> None:
        self._step("disarm", fault_id, lambda: self.armed.pop(fault_id, None))

    async def until(self, condition: Callable[[], Awaitable[bool]], timeout_s: float, what: str) -> None:
        # Nothing changes by waiting here: a condition that is false now stays false.
        self.waits.append((timeout_s, what))
        if not await condition():
            raise FaultError(what)

    def index_of(self, what: str) -> int:
        """Index in `log` of the first call of that name; the length of `log` if there is none."""
        calls = [call for call, _ in self.log]
        return calls.index(what) if what in calls else len(calls)


async def play_life(fault: Fault, world: World) -> int | None:
    """Play the whole life of a fault without trouble; returns its hits."""
    await fault.inject(world)
    await fault.confirm(world)
    hits = await fault.revert(world)
    await fault.verify(world)
    return hits
