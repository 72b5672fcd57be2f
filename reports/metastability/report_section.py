"""The section `metastability` of report.json: flat, each field is always present."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from reports.metastability.judging import Metastability

__all__ = ["report_section"]


def report_section(found: Metastability) -> dict[str, Any]:
    """The section as a JSON object."""
    grace, twin, shedding = found.grace, found.twin, found.shedding
    return {
        "state": found.state,
        "why": found.why,
        "confirmed_by": list(found.confirmed_by),
        "unconfirmed": found.unconfirmed,
        "trigger_gone_s": found.trigger_gone_s,
        "grace_s": grace.total_s if grace else None,
        "client_timeout_s": grace.client_timeout_s if grace else None,
        "backlog_calls": grace.backlog_calls if grace else None,
        "spare_calls_per_s": grace.spare_calls_per_s if grace else None,
        "drain_s": grace.drain_s if grace else None,
        "judged_from_s": found.judged_from_s,
        "judged_to_s": found.judged_to_s,
        "baseline_share": found.baseline_share,
        "bar": found.down_below,
        "share": found.share,
        "persisting": [asdict(one) for one in found.persisting],
        "twin": twin.folder if twin else None,
        "twin_share": twin.share if twin else None,
        "shedding_s": shedding.begin_s if shedding else None,
        "readmission_s": shedding.readmitted_s if shedding else None,
        "readmission_share": shedding.share if shedding else None,
    }
