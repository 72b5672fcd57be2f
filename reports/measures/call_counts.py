"""calls, calls_ok, calls_failed, error_rate: calls offered, and how they ended."""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact
from reports.measures.slo_attainment import share_of_calls

__all__ = ["calls", "calls_failed", "calls_ok", "error_rate"]


def calls(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Logical calls sent."""
    return fact(int(evidence.mask(scope).sum()))


def calls_ok(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Calls that ended ok."""
    return fact(int((evidence.mask(scope) & evidence.columns.ok).sum()))


def calls_failed(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Calls that did not end ok."""
    return fact(int((evidence.mask(scope) & ~evidence.columns.ok).sum()))


def error_rate(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Failed calls / calls sent."""
    return share_of_calls(evidence, evidence.mask(scope), np.logical_not(evidence.columns.ok))
