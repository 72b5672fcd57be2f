"""goodput: tokens of good calls per second, by the time at which the client received them.

Its interval counts the number of sessions as chance too, because their arrivals are.
"""

from __future__ import annotations

import numpy as np

from reports.history.arrivals import tokens_arrived
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, Rare, not_measured, resampled

__all__ = ["goodput"]


def goodput(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Tokens per second."""
    duration_s = evidence.duration_s(scope)
    if duration_s <= 0:
        return not_measured("the phase has no duration")
    arrived = tokens_arrived(evidence, scope.phases)
    of_scope = evidence.of(scope.where)
    counted = of_scope & (arrived > 0)
    everything = evidence.by_session(evidence.columns.tokens, of_scope)
    tokens = evidence.by_session(arrived, counted & evidence.columns.good)
    sessions = int(np.count_nonzero(tokens))
    usual = float(everything.sum()) / max(1, int(np.count_nonzero(everything))) / duration_s  # of any session
    per_session = float(tokens.sum()) / sessions / duration_s if sessions else usual
    return resampled(
        float(tokens.sum()) / duration_s,
        int(counted.sum()),
        int(np.count_nonzero(evidence.by_session(arrived, counted))),
        lambda: evidence.resampling.flows(tokens) / duration_s,
        Rare(sessions, 0.0, per_session),
    )
