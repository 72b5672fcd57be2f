"""Decides whether a 2xx answer was good, without I/O.

An answer is complete if it has a finish reason *and* the end of the stream *and* is a complete HTTP message. So a
truncated stream is never `ok`. Definitions: `docs/measures.md`.
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

__all__ = ["DEGRADED_HEADER", "Judgement", "Provability", "expected_after_degradation", "judge"]

DEGRADED_HEADER = "X-Brownout-Degraded"
"""Response header in which a gateway reports that it served less than was requested (`docs/wire.md`)."""

_REDUCED_MAX_TOKENS = re.compile(r"\bmax_tokens=(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of one 2xx answer.

    `integrity`, `tokens_lost` and `silently_truncated` are None if the target's tokens cannot be checked.
    """

    outcome: Outcome
    integrity: Integrity | None
    tokens_lost: int | None
    silently_truncated: bool | None


class Provability:
    """Whether the target's tokens can be checked: True, False, or None (not known yet).

    It becomes True with the first answer that matches its expected stream exactly; from then on every answer is
    checked. Until then, an answer without any expected token is taken to come from a real model and is not checked.
    """

    def __init__(self, provable: bool | None) -> None:
        self._provable = provable

    @property
    def never(self) -> bool:
        """No answer can be checked, so none needs to be compared."""
        return self._provable is False

    def applies(self, integrity: Integrity) -> bool:
        """Whether the comparison counts for this target. Learns from it if provability is not known yet."""
        if self._provable is None:
            if integrity.all_unexpected:
                return False
            if integrity.exact and integrity.received:
                self._provable = True
        return bool(self._provable) or integrity.received > integrity.spliced or not integrity.received


def judge(
    answer: Answer, expected: str, provability: Provability, *, message_complete: bool, stalled: bool
) -> Judgement:
    """Judges an answer with status 2xx.

    `expected`: the expected token stream. `stalled`: the client gave up on a silent connection. Tokens missing at the
    end count as lost only if the answer appeared complete: a visible failure does not mislead the caller.
    """
    integrity: Integrity | None = None
    closed = True
    if not provability.never:
        tokens, closed = argument_tokens(answer.arguments) if answer.arguments else ("", True)
        found = compare(expected, answer.text + tokens)
        integrity = found if provability.applies(found) else None
    if integrity is None and answer.arguments:
        closed = _is_json(answer.arguments)
    seems_complete = message_complete and answer.error is None and answer.corrupt is None and not stalled
    lost = None
    silent = None
    if integrity is not None:
        lost = integrity.holes + (integrity.missing_tail if seems_complete else 0)
        silent = seems_complete and (lost > 0 or not answer.finish_count)
    finished = bool(message_complete and answer.finish_count and answer.end_count)
    if answer.error is not None:
        outcome = Outcome.ERROR_EVENT
    elif stalled:
        outcome = Outcome.STALLED
    elif answer.corrupt is not None or (integrity is not None and not integrity.is_prefix):
        outcome = Outcome.CORRUPT
    elif not finished or (integrity is not None and integrity.missing_tail):
        outcome = Outcome.TRUNCATED
    else:
        outcome = Outcome.OK if closed else Outcome.CORRUPT
    return Judgement(outcome, integrity, lost, silent)


def expected_after_degradation(expected: str, degraded: str | None) -> str:
    """The expected stream, cut to the `max_tokens` that the `X-Brownout-Degraded` header reports, if any.

    A reported reduction is not a truncation.
    """
    reduced = _REDUCED_MAX_TOKENS.search(degraded) if degraded else None
    return expected[: int(reduced[1]) * TOKEN_CHARS] if reduced is not None else expected


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True
