"""Decides whether a 2xx answer was good, without I/O.

An answer is complete if it has a finish reason *and* is a complete HTTP message. So a truncated stream is never `ok`. A
missing end of the stream (`[DONE]`, `message_stop`) is counted, but costs nothing: both vendors' SDKs do not need it.
Definitions: `docs/measures.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from loadprofiles.client.answer import Answer
from loadprofiles.client.integrity import Integrity, compare
from loadprofiles.client.lenient_json import NotJsonError, decode_json
from loadprofiles.client.wire import argument_tokens
from reports.shared.attributes import Outcome
from reports.shared.tokens import TOKEN_CHARS

__all__ = ["DEGRADED_HEADER", "Judgement", "Provability", "expected_after_degradation", "judge"]

DEGRADED_HEADER = "X-Brownout-Degraded"
"""Response header in which a gateway reports that it served less than was requested (`docs/wire.md`)."""

_REDUCED_MAX_TOKENS = re.compile(r"\bmax_tokens=(\d{1,9})\b")


_CUT_BY_THE_MODEL = frozenset({"length", "max_tokens", "content_filter", "refusal", "model_context_window_exceeded"})
"""Finish reasons that explain why a tool call's arguments are incomplete."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of one 2xx answer. `why`: why it is not ok, "" if it is.

    `integrity` and `tokens_lost` are None if the target's tokens cannot be checked. `silently_truncated` is None if it
    is not known: without checked tokens, only a missing finish reason shows it.
    """

    outcome: Outcome
    integrity: Integrity | None
    tokens_lost: int | None
    silently_truncated: bool | None
    why: str = ""


class Provability:
    """Whether the target's tokens can be checked: True, False, or None (not known yet).

    It becomes True with the first answer that proves it (`Integrity.proves`); from then on every answer is checked.
    Until then nothing is said about tokens: the answers may come from a real model.
    """

    def __init__(self, provable: bool | None) -> None:
        self._provable = provable

    @property
    def never(self) -> bool:
        """No answer can be checked, so none needs to be compared."""
        return self._provable is False

    def applies(self, integrity: Integrity) -> bool:
        """Whether the comparison counts for this target. Learns from it if provability is not known yet."""
        if self._provable is None and integrity.proves:
            self._provable = True
        return bool(self._provable)


def judge(
    answer: Answer, expected: str, provability: Provability, *, message_complete: bool, stalled: bool
) -> Judgement:
    """Judges an answer with status 2xx.

    `expected`: the expected token stream. `stalled`: the client gave up on a silent connection. Tokens missing at the
    end count as lost only if the answer appeared complete: a visible failure does not mislead the caller.
    """
    integrity, arguments_complete = _compared(answer, expected, provability)
    seems_complete = message_complete and answer.error is None and answer.corrupt is None and not stalled
    finished = bool(message_complete and answer.finish_count)
    lost = None
    silent: bool | None = None
    if integrity is not None:
        lost = integrity.holes + (integrity.missing_tail if seems_complete else 0)
        silent = seems_complete and (lost > 0 or not finished)
    elif seems_complete and not finished:
        silent = True
    why = ""
    if answer.error is not None:
        outcome, why = Outcome.ERROR_EVENT, answer.error
    elif stalled:
        outcome, why = Outcome.STALLED, "the stream went silent"
    elif answer.corrupt is not None:
        outcome, why = Outcome.CORRUPT, answer.corrupt
    elif integrity is not None and not integrity.is_prefix:
        outcome, why = Outcome.CORRUPT, _differences(integrity)
    elif not finished or (integrity is not None and integrity.missing_tail):
        outcome, why = Outcome.TRUNCATED, _missing(answer, integrity, message_complete)
    elif not arguments_complete:
        outcome, why = Outcome.CORRUPT, "the arguments of a tool call are not JSON"
    else:
        outcome = Outcome.OK
    return Judgement(outcome, integrity, lost, silent, why)


def expected_after_degradation(expected: str, degraded: str | None) -> str:
    """The expected stream, cut to the `max_tokens` that the `X-Brownout-Degraded` header reports, if any.

    A reported reduction is not a truncation.
    """
    reduced = _REDUCED_MAX_TOKENS.search(degraded) if degraded else None
    return expected[: int(reduced[1]) * TOKEN_CHARS] if reduced is not None else expected


def _compared(answer: Answer, expected: str, provability: Provability) -> tuple[Integrity | None, bool]:
    """The comparison with the expected tokens, if it counts, and whether the arguments of all tool calls are
    complete."""
    if not provability.never:
        tokens = [argument_tokens(call.arguments) for call in answer.tool_calls if call.arguments]
        found = compare(expected, answer.text + "".join(text for text, _ in tokens))
        if provability.applies(found):
            return found, all(complete for _, complete in tokens)
    if answer.finish in _CUT_BY_THE_MODEL:
        return None, True
    return None, all(_is_json(call.arguments) for call in answer.tool_calls if call.arguments.strip())


def _differences(integrity: Integrity) -> str:
    found = (
        (integrity.holes, "missing"),
        (integrity.duplicated, "duplicated"),
        (integrity.spliced, "of another answer or out of place"),
    )
    counts = ", ".join(f"{count} {what}" for count, what in found if count)
    return f"the tokens are not the expected ones: {counts}, of {integrity.expected}"


def _missing(answer: Answer, integrity: Integrity | None, message_complete: bool) -> str:
    tokens = "" if integrity is None else f" after {integrity.received} of {integrity.expected} tokens"
    if not message_complete:
        return f"the connection closed{tokens or ' in the middle of the answer'}"
    if not answer.finish_count:
        return f"the stream ended{tokens} without a finish reason"
    return f"the stream ended{tokens} as if it were complete"


def _is_json(text: str) -> bool:
    try:
        decode_json(text.encode("utf-8", "replace"))
    except NotJsonError:
        return False
    return True
