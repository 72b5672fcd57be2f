"""Decides whether a 2xx answer was good, without I/O.

Complete means a finish reason *and* the end of the stream *and* a complete HTTP message; a truncated stream is never
taken for a good one. Definitions: `docs/measures.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from loadprofiles.client.integrity import Integrity, compare
from loadprofiles.client.stream import Answer
from loadprofiles.client.wire import argument_tokens
from reports.shared.attributes import Outcome
from reports.shared.tokens import TOKEN_CHARS

__all__ = ["DEGRADED_HEADER", "Judgement", "Provability", "judge", "shortened"]

DEGRADED_HEADER = "X-Brownout-Degraded"
"""With which a gateway says that it serves less than was asked (`docs/wire.md`)."""

_LOWERED = re.compile(r"\bmax_tokens=(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`integrity` is None where the tokens cannot be proved; `silently_truncated` then too."""

    outcome: Outcome
    integrity: Integrity | None
    tokens_lost: int | None
    silently_truncated: bool | None


class Provability:
    """Whether the target's tokens can be checked: yes, no, or not known yet.

    Not known (None) is settled by the target itself: one exact answer, and from then on every token is held against the
    expected ones; until then an answer that has nothing in common with its expected stream is another kind of speaker
    (a real model), and not measured.
    """

    def __init__(self, provable: bool | None) -> None:
        self._provable = provable

    @property
    def never(self) -> bool:
        """No answer needs a comparison."""
        return self._provable is False

    def applies(self, integrity: Integrity) -> bool:
        """Whether this comparison is evidence."""
        if self._provable is None:
            if integrity.nothing_in_common:
                return False
            if integrity.exact and integrity.received:
                self._provable = True
        return bool(self._provable) or integrity.received > integrity.spliced or not integrity.received


def judge(
    answer: Answer, expected: str, provability: Provability, *, message_complete: bool, stalled: bool
) -> Judgement:
    """The outcome of an attempt whose status was 2xx.

    `expected`: the expected token stream. `stalled`: the client gave up on a silent connection. Tokens missing at the
    end count as lost only if the answer came as if it were whole: a visible failure loses nothing that the caller does
    not know of.
    """
    integrity: Integrity | None = None
    closed = True
    if not provability.never:
        tokens, closed = argument_tokens(answer.arguments) if answer.arguments else ("", True)
        found = compare(expected, answer.text + tokens)
        integrity = found if provability.applies(found) else None
    if integrity is None and answer.arguments:
        closed = _is_json(answer.arguments)
    as_if_whole = message_complete and answer.error is None and answer.corrupt is None and not stalled
    lost = None
    silent = None
    if integrity is not None:
        lost = integrity.holes + (integrity.missing_tail if as_if_whole else 0)
        silent = as_if_whole and (lost > 0 or not answer.finishes)
    finished = bool(message_complete and answer.finishes and answer.dones)
    if answer.error is not None:
        outcome = Outcome.ERROR_EVENT
    elif stalled:
        outcome = Outcome.STALLED
    elif answer.corrupt is not None or (integrity is not None and not integrity.right_so_far):
        outcome = Outcome.CORRUPT
    elif not finished or (integrity is not None and integrity.missing_tail):
        outcome = Outcome.TRUNCATED
    else:
        outcome = Outcome.OK if closed else Outcome.CORRUPT
    return Judgement(outcome, integrity, lost, silent)


def shortened(expected: str, degraded: str | None) -> str:
    """What must come back of the expected stream where the answer says that it was degraded: said is not truncated."""
    lowered = _LOWERED.search(degraded) if degraded else None
    return expected[: int(lowered[1]) * TOKEN_CHARS] if lowered is not None else expected


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True
