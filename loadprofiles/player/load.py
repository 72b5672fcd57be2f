"""What a played session needs of the load it belongs to. `Player` implements it."""

from __future__ import annotations

from typing import Protocol

from loadprofiles.client.client import Client
from loadprofiles.client.records import CallRecord
from loadprofiles.sessions.session import SessionPlan
from reports.shared.attributes import SessionOutcome

__all__ = ["Load"]


class Load(Protocol):
    """The load, as seen by one of its sessions.

    `profile` and `agent_name` go on spans. `seed` is the seed of the clients' retry jitter.
    """

    client: Client
    profile: str
    agent_name: str
    seed: int

    def load_time_s(self, at_s: float) -> float:
        """Seconds from the load's start to `at_s` on `clock.now_s`."""

    def session_started(self, plan: SessionPlan, lateness_s: float) -> None:
        """Counts a session that started `lateness_s` after its planned time."""

    def session_ended(self, outcome: SessionOutcome) -> None:
        """Counts a session that has ended."""

    def call_sent(self) -> None:
        """Counts a logical call that is about to be sent."""

    def call_ended(self, record: CallRecord) -> None:
        """Counts a logical call that has ended, and reports it to the listener."""
