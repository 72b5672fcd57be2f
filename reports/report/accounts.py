"""Tenants and tiers by phase: calls offered, good and shed, and their TTFT."""

from __future__ import annotations

from typing import Any

import numpy as np

from reports.history.evidence import BoolArray, Evidence, Scope
from reports.history.statistics import percentile
from reports.measures.shed import shed_calls
from reports.shared.phases import GATE_PHASES
from reports.shared.tenancy import TIERS

__all__ = ["accounts"]


def accounts(evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """The section `accounts` of the report: by tenant and by tier. A list is empty where the load names none."""
    shed = shed_calls(evidence)
    tier_of = {session.tenant: session.tier for session in evidence.calls.sessions if session.tier}
    tenants = [
        {
            "name": name,
            "tier": tier_of.get(name, ""),
            "phases": _phases(evidence, evidence.columns.tenant == name, shed),
        }
        for name in _names(evidence.columns.tenant)
    ]
    tiers = [
        {"name": name, "phases": _phases(evidence, evidence.columns.tier == name, shed)}
        for name in sorted(_names(evidence.columns.tier), key=_rank)
    ]
    return {"tenants": tenants, "tiers": tiers}


def _rank(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def _names(column: np.ndarray[Any, np.dtype[np.str_]]) -> list[str]:
    return sorted(str(name) for name in np.unique(column) if name)


def _phases(evidence: Evidence, of_account: BoolArray, shed: BoolArray) -> dict[str, dict[str, Any]]:
    columns = evidence.columns
    found: dict[str, dict[str, Any]] = {}
    for phase in GATE_PHASES:
        if evidence.record.phase(phase) is None:
            continue
        mask = of_account & evidence.slo_mask(Scope(phase))
        good = mask & columns.good
        found[phase] = {
            "asked": int(mask.sum()),
            "good": int(good.sum()),
            "shed": int((mask & shed).sum()),
            "ttft_p95_s": percentile(columns.ttft[mask], 0.95) if mask.any() else None,
            "good_tokens": int(columns.tokens[good].sum()),
        }
    return found
