"""Whether the stack stayed down after the fault: the verdict, and the evidence as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.shared.wording import number_text, value_text

__all__ = ["metastability_view"]

_HEADLINES: Final = {
    "well": "Recovered",
    "overloaded": "Overloaded: still down after the grace period",
    "metastable": "Metastable: down although the fault is gone",
}


def metastability_view(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Headline, reason, evidence and what may keep the stack down.

    Returns None where the recovery phase ended before the grace period.
    """
    section = data["metastability"]
    if section["judged_from_s"] is None:
        return None
    grace = (
        f"{value_text(section['grace_s'], 's')} from {section['trigger_gone_s']:.1f} s on: client timeout "
        f"{value_text(section['client_timeout_s'], 's')} + {value_text(round(section['drain_s'], 1), 's')} to drain "
        f"a backlog of {number_text(round(section['backlog_calls'], 1))} calls "
        f"(spare capacity {number_text(round(section['spare_calls_per_s'], 1))} calls/s)"
    )
    lines = [
        ("Grace period", grace),
        ("Judged", f"from {section['judged_from_s']:.1f} s to {section['judged_to_s']:.1f} s"),
        (
            "Good / offered",
            f"{_share(section['share'])}; baseline {_share(section['baseline_share'])}, "
            f"down below {_share(section['bar'])}",
        ),
    ]
    if section["twin"] is not None:
        lines.append(
            ("Twin run without the fault", f"{_share(section['twin_share'])} at that time ({section['twin']})")
        )
    if section["shedding_s"] is not None:
        readmitted = _share(section["readmission_share"])
        lines.append(
            (
                "Shedding",
                f"new sessions were blocked from {section['shedding_s']:.1f} s on; good / offered after that: "
                f"{readmitted}",
            )
        )
    return {
        "headline": _HEADLINES.get(section["state"], "Not known"),
        "state": section["state"] or "",
        "why": section["why"],
        "lines": lines,
        "persisting": [
            (
                one["what"],
                value_text(one["baseline"], one["unit"]),
                value_text(one["after"], one["unit"]),
                one["worse"],
            )
            for one in section["persisting"]
        ],
    }


def _share(value: float | None) -> str:
    return "unknown" if value is None else value_text(value, "share")
