"""The room of a game day on a stack in memory: the real exercise, orders and commands, without processes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.plan import Plan
from chaos.gameday.core.roles import Person, Role
from chaos.gameday.live.judging import GameDayJudgement
from chaos.gameday.live.room import GameRoom
from chaos.gameday.scenario.offers import offer_for
from chaos.runner.record_writer import RecordFull
from tests.support.hand_rig import PROFILE, STACK, HandRig

__all__ = ["MIRA", "RESPONDER", "RoomRig"]

MIRA = Person("p1", "Mira", Role.GAMEMASTER)
RESPONDER = Person("p2", "Ana", Role.RESPONDER)


class RoomRig:
    """A room whose stack is up inside the block. `hand`: the commands and the stack in memory."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.hand = HandRig(folder)
        self.failures: list[RecordFull] = []
        self.released = 0
        self.room = GameRoom(
            Exercise(plan, offer_for(STACK, PROFILE, own_gateway=True), GameDayJudgement(STACK)),
            STACK,
            self.hand.events,
            slo_ttft_s=2.0,
            gateway="gateway",
            guardrails=(),
            clock=asyncio.get_running_loop().time,
            say=self.hand.said.append,
            on_ready=lambda: None,
            on_over=self._over,
            on_failure=self.failures.append,
        )
        self.staying: asyncio.Task[None] | None = None

    async def _over(self) -> None:
        self.released += 1

    async def __aenter__(self) -> RoomRig:
        for person in (MIRA, RESPONDER):
            self.room.entered(person)
        self.staying = asyncio.create_task(self.room.stay(self.hand.controls))
        await self.until(lambda: self.room.played, "the stack is ready")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.staying is not None
        self.staying.cancel()
        await asyncio.gather(self.staying, return_exceptions=True)
        await self.hand.controls.close()

    async def until(self, condition: Any, what: str, within_s: float = 5.0) -> None:
        """Wait for a condition."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    await asyncio.sleep(0.01)  # polls a condition with a deadline
        except TimeoutError:
            raise AssertionError(f"{what}: not within {within_s} s; {self.hand.said}") from None

    async def master(self, do: str, **arguments: Any) -> str:
        """The game master acts; the answer."""
        return str((await self.room.act(MIRA, do, arguments))["text"])

    async def responder(self, do: str, **arguments: Any) -> str:
        """The responder acts; the answer."""
        return str((await self.room.act(RESPONDER, do, arguments))["text"])

    def facts(self, event: str) -> list[dict[str, Any]]:
        """The facts of this kind in the record."""
        return [fields for kind, fields in self.hand.events.kept if kind == "exercise" and fields["event"] == event]

    def reverted(self) -> list[tuple[str, str]]:
        """Each fault that was reverted, and why."""
        return [(one["data"]["fault"], one["data"]["why"]) for one in self.facts("reverted")]
