"""The commands of chaos by hand on a target in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from opentelemetry.trace import NoOpTracer

from chaos.by_hand.controls import HandControls
from chaos.by_hand.injection import Injection, options_of
from chaos.by_hand.load import HandLoad
from chaos.by_hand.operations import HandOperations
from chaos.faults.world import FaultError
from chaos.runner.fault_play import FaultPlay
from chaos.runner.record_writer import EventLog, RecordFull
from chaos.testing.memory_world import MemoryWorld
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.profile_file import load_profile
from reports.shared.errors import UserError
from targets.stack import load_stack

__all__ = ["FakeLoad", "HandRig", "HeldWorld", "Recorded"]

STACK = load_stack("multi-cloud")
PROFILE = load_profile("coding-agent-ci")


class HeldWorld(MemoryWorld):
    """Calls named in `held` wait for `go_on`; those named in `failing` fail. `entered`: one of them waits."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()
        self.failing: set[str] = set()
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()

    def is_gone(self, name: str) -> bool:
        return self.states[name] == "gone"

    async def _hold(self, what: str) -> None:
        if what in self.failing:
            raise FaultError(f"{what} is not possible")
        if what in self.held:
            self.entered.set()
            await self.go_on.wait()

    async def kill(self, name: str) -> None:
        await self._hold("kill")
        await super().kill(name)

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        await self._hold("start")
        await super().start(name, cold_start_s=cold_start_s)

    async def add_behaviour(self, name: str, fault_id: str, body: dict[str, Any]) -> None:
        await self._hold("add_behaviour")
        await super().add_behaviour(name, fault_id, body)


class Recorded(EventLog):
    """Keeps the events; from `full_from` on, the disk is full."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: list[tuple[str, dict[str, Any]]] = []
        self.full_from = ""

    def write(self, event_type: str, /, *, at_ns: int | None = None, **fields: Any) -> int:
        if self.full_from and self.full_from in (event_type, fields.get("stage")):
            raise RecordFull("the disk is full")
        self.kept.append((event_type, fields))
        return super().write(event_type, at_ns=at_ns, **fields)

    def actions(self) -> list[str]:
        return [fields["action"] for kind, fields in self.kept if kind == "action"]


class FakeLoad:
    """Load generators that start at once."""

    def __init__(self) -> None:
        self.running = False
        self.profile: Profile | None = None
        self.seed = 0
        self.stopped = 0
        self.level = 1.0

    @property
    def profile_name(self) -> str:
        return self.profile.name if self.profile is not None else ""

    async def start(self, profile: str | None, seed: int | None, say: Callable[[str], None]) -> None:
        if self.running:
            raise UserError("the load is running already")
        say("the load starts")
        self.running, self.seed = True, seed or 7
        self.profile = load_profile(profile) if profile else PROFILE

    async def stop(self) -> None:
        self.stopped += self.running
        self.running = False

    def set_level(self, factor: float) -> None:
        self.level = factor

    def facts(self) -> dict[str, Any]:
        return {"running": self.running}


class HandRig:
    """Commands as a client sends them: `await rig.ask("inject", "kill --pool tpu")`.

    `said`: on the stack's terminal; `told`: to the clients.
    """

    def __init__(
        self,
        folder: Path,
        *,
        load: bool = True,
        gateway: bool = True,
        lend: Callable[[], Awaitable[Callable[[], Awaitable[bool]]]] | None = None,
        operations: HandOperations | None = None,
    ) -> None:
        self.world = HeldWorld()
        self.events = Recorded(folder / "events.jsonl")
        self.said: list[str] = []
        self.told: list[str] = []
        self.restarted: list[str] = []
        self.ended_by: list[str] = []
        self.load = FakeLoad()
        self.plays: dict[str, FaultPlay] = {}
        self.gone = asyncio.Event()
        self.controls = HandControls(
            stack=STACK,
            profile=PROFILE,
            seed=7,
            world=self.world,
            events=self.events,
            plays=self.plays,
            make_play=self.make_play,
            restart=self.restart,
            facts=lambda: {"gateway": {"name": "reference"} if gateway else None, "url": "", "what": "up"},
            say=self.said.append,
            load=cast(HandLoad, self.load) if load else None,
            end_run=None if load else self.ended_by.append,
            lend=lend,
            operations=operations,
        )

    def make_play(self, one: Injection) -> FaultPlay:
        spec = one.occurrence.spec
        return FaultPlay(
            spec.build(one.occurrence.id, one.occurrence.targets, 7),
            self.world,
            self.events,
            NoOpTracer(),
            pools=list(one.pools),
            params=spec.params(),
            share=spec.requests_share,
            only=spec.requests_only,
            traits=spec.traits().recorded(),
            say=self.said.append,
        )

    async def restart(self, name: str, say: Callable[[str], None]) -> None:
        self.restarted.append(name)
        await self.world.start(name)

    async def ask(self, do: str, line: str = "", **more: Any) -> Any:
        """The reply. `line`: of a fault, as on the command line."""
        request: dict[str, Any] = {"do": do, **more}
        if do == "inject":
            kind, *words = line.split()
            request |= {"kind": kind, "options": options_of(words)}
        return await self.controls(request, self.told.append, self.gone)

    def stages(self, fault_id: str) -> list[str]:
        return [fields["stage"] for kind, fields in self.events.kept if kind == "fault" and fields["id"] == fault_id]
