"""What an action, a tick or a report of the shell leads to."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.gameday.core.facts import Fact
from chaos.gameday.core.orders import Order

__all__ = ["Outcome"]


@dataclass(slots=True)
class Outcome:
    """Facts for the record, orders for the shell, and the answer to the person who acted."""

    facts: list[Fact] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    text: str = ""
