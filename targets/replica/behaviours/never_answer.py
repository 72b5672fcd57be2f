"""`never_answer`: a request is accepted but never answered. The connection stays open."""

from __future__ import annotations

from targets.replica.behaviours.base import Behaviour

__all__ = ["NeverAnswer"]


class NeverAnswer(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The request does not reach the engine. Requests that still wait when the behaviour ends are served then."""

    @property
    def holds(self) -> bool:
        """Always."""
        return True
