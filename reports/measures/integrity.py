"""Integrity of streams: lost_tokens, duplicated_tokens, spliced_streams, silent_truncations, missing_terminal,
double_terminal.

lost_tokens         expected tokens missing although a later one of the stream arrived, and those missing at the end
duplicated_tokens   tokens that had already arrived
spliced_streams     streams with a token of another answer, or one out of its place
silent_truncations  HTTP complete, no error event, but tokens or the finish reason missing
missing_terminal    streams that ended as if complete, without a terminal event; a visible failure is none
double_terminal     streams with more than one

What the client counted on each call. Tokens of a model that is not ours cannot be proved; then the first four are not
measured, and the terminals are.
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

__all__ = ["INTEGRITY"]

_AS_IF_WHOLE: Final = frozenset({Outcome.OK, Outcome.CORRUPT})


def _lost(call: Call) -> int:
    return int(call.span.attributes.get(names.TOKENS_LOST, 0))


def _duplicated(call: Call) -> int:
    return int(call.span.attributes.get(names.TOKENS_DUPLICATED, 0))


def _spliced(call: Call) -> int:
    return int(call.span.attributes.get(names.TOKENS_SPLICED, 0) > 0)


def _silently_truncated(call: Call) -> int:
    return int(bool(call.span.attributes.get(names.SILENTLY_TRUNCATED, False)))


def _missing_terminal(call: Call) -> int:
    whole = call.outcome in _AS_IF_WHOLE or _silently_truncated(call) == 1
    return int(whole and call.span.attributes.get(names.TERMINALS) == 0)


def _double_terminal(call: Call) -> int:
    return int(call.span.attributes.get(names.TERMINALS, 0) > 1)


def _counting(count: Callable[[Call], int], needs_proof: bool) -> Measure:
    def measure(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
        calls = [evidence.calls.calls[index] for index in np.flatnonzero(evidence.mask(scope))]
        if needs_proof:
            answered = [call for call in calls if call.tokens > 0]
            proved = [call for call in calls if call.span.attributes.get(names.CALL_PROVABLE, False)]
            if answered and not any(call.tokens > 0 for call in proved):
                return not_measured("the tokens of this model cannot be proved")
            calls = proved
        return fact(sum(map(count, calls)), len(calls))

    return measure


INTEGRITY: Final[dict[str, Measure]] = {
    "lost_tokens": _counting(_lost, needs_proof=True),
    "duplicated_tokens": _counting(_duplicated, needs_proof=True),
    "spliced_streams": _counting(_spliced, needs_proof=True),
    "silent_truncations": _counting(_silently_truncated, needs_proof=True),
    "missing_terminal": _counting(_missing_terminal, needs_proof=False),
    "double_terminal": _counting(_double_terminal, needs_proof=False),
}
"""The six counts by name."""
