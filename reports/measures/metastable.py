"""metastable, overloaded: 1 where the run stayed down by itself after the trigger was gone, else 0.

`overloaded` is 1 for either verdict: good / offered stayed below 70 % of the baseline's after the grace period.
`metastable` needs to know as well that the load alone is not to blame: where something keeps the run down and neither a
twin nor shedding tells, it is not measured. See `reports.metastability`.
"""

from __future__ import annotations

from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured
from reports.metastability.judging import metastability_of

__all__ = ["metastable", "overloaded"]


def overloaded(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """1 or 0: down after the trigger was gone."""
    found = metastability_of(evidence)
    return not_measured(found.why) if found.state is None else fact(float(found.down))


def metastable(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """1 or 0: down by itself."""
    found = metastability_of(evidence)
    if found.state is None or found.unconfirmed:
        return not_measured(found.why)
    return fact(float(found.state == "metastable"))
