"""fairness: Jain's index of served / offered over the tenants; 1 is even, 1/n means that one of n gets all.

Jain, Chiu, Hawe (DEC-TR-301, 1984): (sum x)^2 / (n sum x^2). Served: good calls. Offered: calls sent. Of the tenants
with a call in the scope.

min                      the worst tenant's served / offered
entitled, entitled_min   the same, with each tenant's offered calls limited to its rate in the baseline (calls per
                         second): served / entitled, at most 1, for a tenant that offers more. Limiting a heavy tenant
                         to its former rate is fair by this; letting it displace the others is not. Of the tenants
                         with a call in the baseline
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import Interval, bootstrap_interval, rate_interval
from reports.history.statistics import FloatArray
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["fairness", "jain", "tenants_of"]

_FEWEST: Final = 2


def fairness(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """An index or a share."""
    mask, columns = evidence.mask(scope), evidence.columns
    tenants = tenants_of(evidence, scope)
    if len(tenants) < _FEWEST:
        return not_measured("the load names no tenants" if not tenants else "only one tenant sent calls")
    entitled = stat.startswith("entitled")
    duration_s, before_s = evidence.duration_s(scope), evidence.duration_s(Scope("baseline"))
    baseline = evidence.mask(Scope("baseline"))
    if entitled:
        tenants = [tenant for tenant in tenants if before_s > 0 and (baseline & (columns.tenant == tenant)).any()]
        if len(tenants) < _FEWEST:
            return not_measured("fewer than two tenants sent calls in the baseline")
    good = columns.good.astype(np.float64)
    served, offered, allowed = [], [], []
    for tenant in tenants:
        own = mask & (columns.tenant == tenant)
        served.append(evidence.by_session(good, own))
        offered.append(evidence.by_session(np.ones(good.size), own))
        usual = float((baseline & (columns.tenant == tenant)).sum())
        allowed.append(usual / before_s * duration_s if entitled else math.inf)

    def shares(sums: tuple[FloatArray, FloatArray], most: float) -> FloatArray:
        numerator, denominator = sums[0], np.minimum(sums[1], most)
        found = np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
        return np.minimum(1.0, found)

    now = np.array([
        float(shares((np.array([s.sum()]), np.array([a.sum()])), most)[0])
        for s, a, most in zip(served, offered, allowed, strict=True)
    ])  # fmt: skip
    if stat.endswith("min"):
        return fact(float(now.min()), len(tenants))
    value = float(jain(now[:, None])[0])
    if math.isnan(value):
        return not_measured("no call of any tenant was good", int(mask.sum()))

    def resamples() -> FloatArray:
        draw = evidence.resampling.sums
        return jain(np.array([
            shares((draw(s), draw(a)), most) for s, a, most in zip(served, offered, allowed, strict=True)
        ]))  # fmt: skip

    def interval() -> Interval:
        low, high = bootstrap_interval(resamples(), sessions - 1)
        # A bootstrap cannot draw the bad calls of a tenant that had none: each tenant in turn at its lowest.
        for row, (s, a, most) in enumerate(zip(served, offered, allowed, strict=True)):
            if now[row] > 0:
                worst = now.copy()
                worst[row] = min(1.0, rate_interval(s, a)[0] * a.sum() / min(float(a.sum()), most))
                low = min(low, float(jain(worst[:, None])[0]))
        return low, high

    sessions = int(np.count_nonzero(np.sum(offered, axis=0)))
    return Measurement(value, int(mask.sum()), sessions, interval=interval, resamples=resamples)


def jain(shares: FloatArray) -> FloatArray:
    """Jain's index of each column. Shares that are NaN are left out; NaN for a column whose shares are all 0."""
    known = ~np.isnan(shares)
    total, squares = np.nansum(shares, axis=0), np.nansum(shares**2, axis=0)
    out = np.full(total.size, np.nan)
    np.divide(total**2, known.sum(axis=0) * squares, out=out, where=squares > 0)
    return out


def tenants_of(evidence: Evidence, scope: Scope) -> list[str]:
    """The names of the tenants with a call in the scope, sorted."""
    return sorted(str(name) for name in np.unique(evidence.columns.tenant[evidence.mask(scope)]) if name)
