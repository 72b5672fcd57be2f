"""Somebody who uses a stack that is up from within its process: a game day."""

from __future__ import annotations

from typing import Protocol

from chaos.by_hand.controls import HandControls
from chaos.runner.counters import Counters

__all__ = ["Guest"]


class Guest(Protocol):
    """What `Up` tells it. The methods other than `stay` must not block, and raise nothing."""

    def counters(self, counters: Counters) -> None:
        """A process of the stack has posted."""

    def lapsed(self, target: str, fault_id: str) -> None:
        """A target no longer has a fault, and nobody reverted it: its lease was not renewed in time."""

    def exited(self, process: str) -> None:
        """A process of the stack has ended by itself."""

    async def stay(self, controls: HandControls) -> None:
        """While the stack is up. The stack ends when this returns, and may end before: then this is cancelled."""

    def left(self, problems: list[str]) -> None:
        """The stack has ended, and every fault with it; the record is about to be closed.

        `problems`: of the faults that could not be reverted.
        """
