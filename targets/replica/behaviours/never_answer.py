"""`never_answer`: a request is taken, and no answer comes; the connection stays open, the engine never sees it."""

from __future__ import annotations

from targets.replica.behaviours.base import Behaviour

__all__ = ["NeverAnswer"]


class NeverAnswer(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Who still waits when it is over is served then."""

    @property
    def holds(self) -> bool:
        """It does."""
        return True
