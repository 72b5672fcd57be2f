"""The load generators that are started and stopped by hand: one process at a time, a new one for each start.

Each start has a seed of its own, so that no two have the same sessions: the first that of the stack, then the next
ones.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from chaos.by_hand.control import Say
from chaos.experiment.model import Experiment
from chaos.runner.counters import Counters
from chaos.runner.deployment import LOAD, load_spec
from chaos.runner.live_world import LiveWorld
from chaos.runner.load_config import load_config
from chaos.runner.load_control import LoadControl
from chaos.runner.setup import Setup
from chaos.supervision.supervisor import ShepherdGone
from loadprofiles.demand import HIGHEST_LEVEL, LOWEST_LEVEL
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.profile_file import load_profile
from reports.shared.errors import TargetFailed, UserError

__all__ = ["HandLoad"]

CONNECTED_WITHIN_S: Final = 30.0
ENDS_WITHIN_S: Final = 5.0


@dataclass(slots=True)
class HandLoad:
    """Starts and stops the load of a stack. `on_lapse`: see `LoadControl`."""

    experiment: Experiment
    setup: Setup
    on_lapse: Callable[[str], None]
    world: LiveWorld | None = None
    control: LoadControl = field(init=False)
    running: bool = False
    profile: Profile | None = None
    """That of the last start."""
    seed: int = 0
    _starts: int = 0

    def __post_init__(self) -> None:
        self.control = LoadControl(on_lapse=self.on_lapse)

    @property
    def profile_name(self) -> str:
        """The name of the profile of the last start; "" before the first one."""
        return self.profile.name if self.profile is not None else ""

    def on_counters(self, counters: Counters) -> dict[str, object]:
        """A process has posted its counters. Returns the response."""
        return self.control.on_counters(counters)

    async def start(self, profile: str | None, seed: int | None, say: Say) -> None:
        """Start sessions of a profile. Raises UserError if a load is running, TargetFailed if it does not start."""
        if self.running:
            raise UserError(f"the load is running already (profile {self.profile_name})\n    brownout load stop")
        experiment = self.experiment
        if profile is not None:
            experiment = replace(experiment, profile=load_profile(profile))
        say("the load starts")
        self.seed = seed if seed is not None else experiment.seed + self._starts
        self._starts += 1
        experiment = replace(experiment, seed=self.seed)
        level = self.control.level
        self.control = LoadControl(on_lapse=self.on_lapse)
        if level != 1.0:
            self.control.set_level(level)
        self.control.command = "run"
        if self.world is not None:
            self.world.use_load(self.control)
        config = {**load_config(experiment, self.setup.url, self.setup.headers), "run": f"s{self.seed}-{self._starts}"}
        self.running, self.profile = True, experiment.profile
        try:
            spec = load_spec(self.setup.folder, config, token=self.setup.token, collector=self.setup.collector_url)
            await self.setup.spawn(spec)
            await self._until_started(self.control)
        except BaseException:
            self.running = False
            raise

    async def _until_started(self, control: LoadControl) -> None:
        """Raises TargetFailed where the process ends, is stopped, or takes too long before its first session."""
        started = asyncio.ensure_future(control.started.wait())
        ended = asyncio.ensure_future(self.setup.supervisor.wait(LOAD))
        try:
            await asyncio.wait((started, ended), timeout=CONNECTED_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if control.command == "stop":
                raise TargetFailed("the load was stopped before it had started")
            if not started.done():
                await self.stop()
                raise TargetFailed(f"the load did not start{self.setup.watch.log_excerpt(LOAD)}")
        finally:
            started.cancel()
            ended.cancel()
            await asyncio.gather(started, ended, return_exceptions=True)

    async def stop(self) -> None:
        """Stop the load: every session ends now. Idempotent."""
        self.control.command = "stop"
        if not self.running:
            return
        self.running = False
        supervisor = self.setup.supervisor
        with contextlib.suppress(LookupError, ShepherdGone):
            if not await _within(supervisor.wait(LOAD), ENDS_WITHIN_S):
                await supervisor.kill(LOAD)

    @property
    def level(self) -> float:
        """How many times the profile's sessions are played."""
        return self.control.level

    def set_level(self, factor: float) -> None:
        """Play `factor` times the profile's sessions, from now on and after the next start. Raises UserError."""
        if not LOWEST_LEVEL <= factor <= HIGHEST_LEVEL:
            raise UserError(f"a level of {factor:g}: must be {LOWEST_LEVEL:g} to {HIGHEST_LEVEL:g} times the profile")
        self.control.set_level(factor)

    def facts(self) -> dict[str, Any]:
        """The load for `status`."""
        data = self.control.data if self.running else {}
        return {
            "running": self.running,
            "profile": self.profile_name if self.running else "",
            "seed": self.seed if self.running else None,
            "level": self.level,
            "sessions": dict(data.get("sessions") or {}),
            "calls": dict(data.get("calls") or {}),
            "ttft_ms_recent": data.get("ttft_ms_recent"),
        }


async def _within(waiting: Awaitable[Any], seconds: float) -> bool:
    """Whether it came within this time."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return False
    return True
