"""Sections of a summary, and how they are made to fit: whole sections are left out, the least important ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

__all__ = ["LIMIT_BYTES", "Rank", "Section", "fit"]

LIMIT_BYTES: Final = 60_000
"""GitHub refuses a comment of more than 65,536 characters."""
_NOTE_BYTES: Final = 2_000
"""Kept free for the note on what was left out."""


class Rank(IntEnum):
    """How important a section is; the first ones are left out last."""

    VERDICT = 0
    OVERVIEW = 1
    BROKEN = 2
    TABLE = 3
    AGAIN = 4
    CALLS = 5
    RUNS = 6
    PASSED = 7
    OTHERS = 8


@dataclass(frozen=True, slots=True)
class Section:
    """`text`: Markdown that stands by itself: no open table, block or element. `what`: in the plural, for the note."""

    rank: Rank
    what: str
    text: str


def fit(sections: Sequence[Section], limit: int = LIMIT_BYTES) -> str:
    """The sections as one text below `limit` bytes of UTF-8, with a note on those that did not fit.

    Of one rank, the last ones are left out first. Sections of the rank VERDICT stay.
    """
    sizes = [len(section.text.encode()) + 2 for section in sections]
    total, left_out = sum(sizes), set()
    if total > limit:
        droppable = [index for index, section in enumerate(sections) if section.rank > Rank.VERDICT]
        for index in sorted(droppable, key=lambda index: (-sections[index].rank, -index)):
            left_out.add(index)
            total -= sizes[index]
            if total <= limit - _NOTE_BYTES:
                break
    texts = [section.text for index, section in enumerate(sections) if index not in left_out]
    if left_out:
        texts.append(_note([sections[index].what for index in sorted(left_out)]))
    return "\n\n".join(texts) + "\n"


def _note(left_out: Sequence[str]) -> str:
    parts = [what if count == 1 else f"{what} ({count} times)" for what, count in Counter(left_out).items()]
    return f"Left out, because a summary must stay below 60 KB: {', '.join(parts)}. All of it is in `gate.json`."
