"""fairness: Jain's index over the tenants of served / asked; 1 is even, 1/n is all for one of n.

Jain, Chiu, Hawe (DEC-TR-301, 1984): (sum x)^2 / (n sum x^2). Served: calls that ended ok within the objectives, asked:
calls offered, of the tenants that asked for anything in the scope.

min                      the worst tenant's served / asked
entitled, entitled_min   the same, where a tenant is entitled to no more than what it asked for in the baseline (calls a
                         second): of one that asks for more, served / entitled, at most 1. Keeping a heavy tenant to
                         what it used to have is not unfair by this, letting it push the others out is. Of the tenants
                         that called in the baseline
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.statistics import FloatArray
from reports.measures.measurement import Measurement, fact, not_measured, resampled

__all__ = ["fairness", "jain", "tenants_of"]

_FEWEST: Final = 2


def fairness(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """An index or a share."""
    mask, columns = evidence.mask(scope), evidence.columns
    tenants = tenants_of(evidence, scope)
    if len(tenants) < _FEWEST:
        return not_measured("the load has no two tenants to be fair to" if not tenants else "only one tenant asked")
    entitled = stat.startswith("entitled")
    duration_s, before_s = evidence.duration_s(scope), evidence.duration_s(Scope("baseline"))
    baseline = evidence.mask(Scope("baseline"))
    if entitled:
        tenants = [tenant for tenant in tenants if before_s > 0 and (baseline & (columns.tenant == tenant)).any()]
        if len(tenants) < _FEWEST:
            return not_measured("the baseline does not say what two of the tenants ask for")
    good = columns.good.astype(np.float64)
    served, asked, allowed = [], [], []
    for tenant in tenants:
        its = mask & (columns.tenant == tenant)
        served.append(evidence.by_session(good, its))
        asked.append(evidence.by_session(np.ones(good.size), its))
        usual = float((baseline & (columns.tenant == tenant)).sum())
        allowed.append(usual / before_s * duration_s if entitled else math.inf)

    def shares(sums: tuple[FloatArray, FloatArray], most: float) -> FloatArray:
        over, under = sums[0], np.minimum(sums[1], most)
        found = np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)
        return np.minimum(1.0, found)

    now = np.array([
        float(shares((np.array([s.sum()]), np.array([a.sum()])), most)[0])
        for s, a, most in zip(served, asked, allowed, strict=True)
    ])  # fmt: skip
    if stat.endswith("min"):
        return fact(float(now.min()), len(tenants))
    value = float(jain(now[:, None])[0])
    if math.isnan(value):
        return not_measured("no tenant was served at all", int(mask.sum()))

    def resamples() -> FloatArray:
        draw = evidence.resampling.sums
        return jain(np.array([
            shares((draw(s), draw(a)), most) for s, a, most in zip(served, asked, allowed, strict=True)
        ]))  # fmt: skip

    sessions = int(np.count_nonzero(np.sum(asked, axis=0)))
    return resampled(value, int(mask.sum()), sessions, resamples)


def jain(shares: FloatArray) -> FloatArray:
    """The index down each column; a tenant without a share (NaN) has no part in it; NaN where nobody was served."""
    known = ~np.isnan(shares)
    total, squares = np.nansum(shares, axis=0), np.nansum(shares**2, axis=0)
    out = np.full(total.size, np.nan)
    np.divide(total**2, known.sum(axis=0) * squares, out=out, where=squares > 0)
    return out


def tenants_of(evidence: Evidence, scope: Scope) -> list[str]:
    """The tenants with a call in the scope, by name."""
    return sorted(str(name) for name in np.unique(evidence.columns.tenant[evidence.mask(scope)]) if name)
