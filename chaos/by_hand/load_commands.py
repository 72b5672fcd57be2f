"""The commands on the load of a stack: start it, stop it, set its level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.by_hand.control import Say
from chaos.by_hand.hand_fault import HandFault
from chaos.by_hand.load import HandLoad
from reports.shared.errors import UserError

__all__ = ["LoadCommands"]


@dataclass(slots=True)
class LoadCommands:
    """Carries out one request on the load; `load` None: an experiment is running, which has its own.

    `refused`: why no load can be started; "" if one can. `facts()`: see `HandControls`. `note(action, text)` records
    what was done.
    """

    load: HandLoad | None
    refused: str
    facts: Callable[[], Mapping[str, Any]]
    faults: Mapping[str, HandFault]
    note: Callable[[str, str], None]

    async def start(self, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """`load_start {profile, seed}`. Raises UserError, TargetFailed."""
        if self.load is None:
            raise UserError("an experiment is running here: it has its own load")
        if self.refused:
            raise UserError(self.refused)
        facts = self.facts()
        if not facts.get("gateway") and not facts.get("url"):
            raise UserError(
                "there is no gateway in front of these replicas, so nothing can be called\n"
                "    start the stack with a gateway, or play an experiment on yours: brownout run NAME --target FILE"
            )
        if not self.load.running:
            self._check_no_demand()
        profile, seed = request.get("profile"), request.get("seed")
        await self.load.start(None if profile is None else str(profile), seed if isinstance(seed, int) else None, say)
        self.note("load_start", f"profile {self.load.profile_name}, seed {self.load.seed}")
        return {"text": f"the load runs: profile {self.load.profile_name}, seed {self.load.seed}"}

    def _check_no_demand(self) -> None:
        """No load is started or stopped while a fault changes it: the next one would not have it. Raises UserError."""
        for fault_id, fault in self.faults.items():
            if fault.active and fault.injection.occurrence.spec.where == "load":
                kind = fault.injection.occurrence.spec.kind
                raise UserError(f"{kind} ({fault_id}) changes the load\n    brownout revert {fault_id}")

    async def stop(self) -> Mapping[str, Any]:
        """`load_stop`. Raises UserError."""
        if self.load is None:
            raise UserError("an experiment is running here: abort it with brownout abort")
        if not self.load.running:
            return {"text": "no load is running"}
        self._check_no_demand()
        await self.load.stop()
        self.note("load_stop", "")
        return {"text": "the load has stopped"}

    def level(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """`load_level {level}`. Raises UserError."""
        level = request.get("level")
        if self.load is None:
            raise UserError("an experiment is running here: it has its own load")
        if isinstance(level, bool) or not isinstance(level, int | float):
            raise UserError(f"a level is a number, as 1.5: it was {level!r}")
        self.load.set_level(float(level))
        self.note("load_level", f"{level:g} times the profile")
        return {"text": f"the load is {level:g} times the profile's"}
