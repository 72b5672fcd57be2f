"""Tenants and tiers on the page: what each asked for and got, by phase. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.shared.wording import value_text

__all__ = ["accounts_view"]


def accounts_view(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Tables of tenants and of tiers, and the fairness between tenants; None where the load names one tenant at most
    and no tier.
    """
    told = data["accounts"]
    if len(told["tenants"]) < 2 and not told["tiers"]:
        return None
    phases = list((told["tenants"] or told["tiers"])[0]["phases"])
    fairness = [
        (title, _cells(data["measures"][name], phases))
        for name, title in (
            ("fairness", "Jain's index over tenants"),
            ("fairness.min", "the worst tenant's served / asked"),
            ("fairness.entitled_min", "the same, within what it asked for in the baseline"),
        )
        if name in data["measures"]
    ]
    return {
        "phases": phases,
        "tenants": [_row(row, phases) for row in told["tenants"]],
        "tiers": [_row(row, phases) for row in told["tiers"]],
        "fairness": [row for row in fairness if any(cell != "–" for cell in row[1])],
    }


def _row(row: Mapping[str, Any], phases: Sequence[str]) -> dict[str, Any]:
    cells = []
    for phase in phases:
        its = row["phases"][phase]
        share = its["good"] / its["asked"] if its["asked"] else None
        cells.append(
            {
                "asked": f"{its['asked']:,}",
                "good": "–" if share is None else f"{share:.0%}",
                "shed": f"{its['shed']:,}",
                "ttft": "–" if its["ttft_p95_s"] is None else value_text(its["ttft_p95_s"], "s"),
                "bad": share is not None and share < 0.5,
            }
        )
    return {"name": row["name"], "tier": row.get("tier", ""), "cells": cells}


def _cells(its: Mapping[str, Any], phases: Sequence[str]) -> list[str]:
    found = (its["phases"].get(phase, {"value": None})["value"] for phase in phases)
    return ["–" if value is None else value_text(value, its["unit"]) for value in found]
