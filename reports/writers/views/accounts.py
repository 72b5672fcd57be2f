"""Tenants and tiers: calls, share of good calls, shed calls and TTFT by phase. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.shared.wording import value_text

__all__ = ["accounts_view"]


def accounts_view(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Tables of tenants and of tiers, and the fairness between tenants.

    Returns None where the load names no tier and at most one tenant.
    """
    accounts = data["accounts"]
    if len(accounts["tenants"]) < 2 and not accounts["tiers"]:
        return None
    phases = list((accounts["tenants"] or accounts["tiers"])[0]["phases"])
    fairness = [
        (title, _cells(data["measures"][name], phases))
        for name, title in (
            ("fairness", "Jain's index over tenants"),
            ("fairness.min", "lowest good / offered of any tenant"),
            ("fairness.entitled_min", "the same, counting at most its baseline rate"),
        )
        if name in data["measures"]
    ]
    return {
        "phases": phases,
        "tenants": [_row(row, phases) for row in accounts["tenants"]],
        "tiers": [_row(row, phases) for row in accounts["tiers"]],
        "fairness": [row for row in fairness if any(cell != "–" for cell in row[1])],
    }


def _row(row: Mapping[str, Any], phases: Sequence[str]) -> dict[str, Any]:
    cells = []
    for phase in phases:
        counts = row["phases"][phase]
        share = counts["good"] / counts["asked"] if counts["asked"] else None
        cells.append(
            {
                "calls": f"{counts['asked']:,}",
                "good": "–" if share is None else f"{share:.0%}",
                "shed": f"{counts['shed']:,}",
                "ttft": "–" if counts["ttft_p95_s"] is None else value_text(counts["ttft_p95_s"], "s"),
                "bad": share is not None and share < 0.5,
            }
        )
    return {"name": row["name"], "tier": row.get("tier", ""), "cells": cells}


def _cells(measure: Mapping[str, Any], phases: Sequence[str]) -> list[str]:
    found = (measure["phases"].get(phase, {"value": None})["value"] for phase in phases)
    return ["–" if value is None else value_text(value, measure["unit"]) for value in found]
