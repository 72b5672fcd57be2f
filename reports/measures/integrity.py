"""Integrity of streams: lost_tokens, duplicated_tokens, spliced_streams, silent_truncations, missing_terminal,
double_terminal.

lost_tokens         expected tokens missing although a later one of the stream arrived, and those missing at the end
duplicated_tokens   tokens that had already arrived
spliced_streams     streams with a token of another answer, or in the wrong place
silent_truncations  HTTP complete, no error event, but tokens or the finish reason missing
missing_terminal    streams that ended as if complete, without a terminal event; visible failures do not count
double_terminal     streams with more than one terminal event

The client counts these on each call. Tokens of a real model cannot be verified: then the first four are not measured.
A missing finish reason needs no verified tokens: it counts as a silent truncation of any model. Where none was seen,
`silent_truncations` of such a model stays not measured, because an answer can be cut short with a finish reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from reports.history.calls import Call
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measure, Measurement, fact, not_measured
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = ["INTEGRITY", "OF_VERIFIED_TOKENS"]

OF_VERIFIED_TOKENS: Final = ("lost_tokens", "duplicated_tokens", "spliced_streams", "silent_truncations")
"""The measures that need tokens that can be verified: not measured on a real model."""

_LOOKS_COMPLETE: Final = frozenset({Outcome.OK, Outcome.CORRUPT})


def _lost(call: Call) -> int:
    return int(call.span.attributes.get(names.TOKENS_LOST, 0))


def _duplicated(call: Call) -> int:
    return int(call.span.attributes.get(names.TOKENS_DUPLICATED, 0))


def _spliced(call: Call) -> int:
    return int(call.span.attributes.get(names.TOKENS_SPLICED, 0) > 0)


def _silently_truncated(call: Call) -> int:
    return int(bool(call.span.attributes.get(names.SILENTLY_TRUNCATED, False)))


def _missing_terminal(call: Call) -> int:
    complete = call.outcome in _LOOKS_COMPLETE or _silently_truncated(call) == 1
    return int(complete and call.span.attributes.get(names.TERMINALS) == 0)


def _double_terminal(call: Call) -> int:
    return int(call.span.attributes.get(names.TERMINALS, 0) > 1)


def _verifiable(call: Call) -> bool:
    return bool(call.span.attributes.get(names.CALL_PROVABLE, False))


def _counting(count: Callable[[Call], int], verifiable_only: bool) -> Measure:
    def measure(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
        calls = [evidence.calls.calls[index] for index in np.flatnonzero(evidence.mask(scope))]
        if verifiable_only:
            answered = [call for call in calls if call.tokens > 0]
            verifiable = [call for call in calls if _verifiable(call) or count(call)]
            if answered and not any(call.tokens > 0 or count(call) for call in verifiable):
                return not_measured("the tokens of this model cannot be verified")
            calls = verifiable
        return fact(sum(map(count, calls)), len(calls))

    return measure


INTEGRITY: Final[dict[str, Measure]] = {
    "lost_tokens": _counting(_lost, "lost_tokens" in OF_VERIFIED_TOKENS),
    "duplicated_tokens": _counting(_duplicated, "duplicated_tokens" in OF_VERIFIED_TOKENS),
    "spliced_streams": _counting(_spliced, "spliced_streams" in OF_VERIFIED_TOKENS),
    "silent_truncations": _counting(_silently_truncated, "silent_truncations" in OF_VERIFIED_TOKENS),
    "missing_terminal": _counting(_missing_terminal, "missing_terminal" in OF_VERIFIED_TOKENS),
    "double_terminal": _counting(_double_terminal, "double_terminal" in OF_VERIFIED_TOKENS),
}
"""The six counts by the name of the measure."""
