"""Why a run ended early, and of several reasons the one that counts."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Ended", "gravest"]

URGENCY = (130, 5, 1, 4)
"""Exit codes, the one that goes first first."""


class Ended(Exception):
    """Why a run ended early. `event` is the name of the run event, `exit_code` what the command answers with."""

    def __init__(self, event: str, why: str, exit_code: int) -> None:
        self.event = event
        self.why = why
        self.exit_code = exit_code
        super().__init__(why)


def gravest(reasons: Sequence[Ended]) -> Ended | None:
    """Of several reasons the one whose exit code goes first, the earliest of those; None of none."""
    return min(reasons, key=lambda ended: URGENCY.index(ended.exit_code), default=None)
