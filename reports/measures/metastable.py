"""metastable, overloaded: 1 where the stack stayed down after the trigger was gone, else 0.

`overloaded` is 1 for both verdicts: good / offered stayed below 70 % of the baseline's after the grace period.
`metastable` is 1 where in addition the load alone does not explain it. It is not measured where something still keeps
the stack down and neither a twin nor shedding shows what the load alone does. See `reports.metastability`.
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
    """1 or 0: down after the trigger was gone, and the failure sustains itself."""
    found = metastability_of(evidence)
    if found.state is None or found.unconfirmed:
        return not_measured(found.why)
    return fact(float(found.state == "metastable"))
