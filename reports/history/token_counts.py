"""Where the token counts of a run's calls come from."""

from __future__ import annotations

from collections.abc import Sequence

from reports.history.calls import Call
from reports.shared import attributes as names

__all__ = ["estimated_tokens_note"]


def estimated_tokens_note(calls: Sequence[Call]) -> list[str]:
    """A note on calls whose token counts are estimates, because the target reported none. Empty if there are none."""
    answered = [call for call in calls if call.tokens > 0]
    estimated = sum(1 for call in answered if call.span.attributes.get(names.TOKENS_ESTIMATED, False))
    if not estimated:
        return []
    return [
        f"the token counts of {estimated:,} of {len(answered):,} answered calls are estimates, because the target "
        "reported no usage for them: tpot, itl, goodput and cost per token are estimates too"
    ]
