"""The chart of good / offered around the grace period: did the stack recover? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.writers.html.canvas import Chart, Layer, Line, Shade
from reports.writers.html.palette import BAD, GOOD, GREY, OFFERED

__all__ = ["recovery"]

_WINDOW: Final = 5
"""Seconds of calls in each point of the chart."""


def recovery(data: Mapping[str, Any]) -> Chart | None:
    """Good / offered of the calls sent in the last 5 s, per second, with the grace period shaded."""
    section, timeline = data["metastability"], data["timeline"]
    if section["judged_from_s"] is None:
        return None
    offered, good = timeline["offered"], timeline["good"]
    shares: list[float | None] = []
    for end in range(1, len(offered) + 1):
        begin = max(0, end - _WINDOW)
        calls = sum(offered[begin:end])
        shares.append(100.0 * sum(good[begin:end]) / calls if calls else None)
    shades = [Shade(section["trigger_gone_s"], section["judged_from_s"], GREY)]
    legend = [(GOOD, "good / offered"), (BAD, "down below this: 70 % of the baseline"), (GREY, "grace period")]
    if section["shedding_s"] is not None and section["readmission_s"] is not None:
        shades.append(Shade(section["shedding_s"], section["readmission_s"], OFFERED))
        legend.append((OFFERED, "new sessions blocked"))
    return Chart(
        160,
        "% of calls",
        {"share": shares},
        (Layer("area", "share", GOOD, alpha=0.15), Layer("line", "share", GOOD)),
        (("good / offered (%)", "share"),),
        legend,
        f"Each point: the calls sent in the last {_WINDOW} s.",
        y_range=(0.0, 105.0),
        lines=[Line(100.0 * section["bar"], BAD)],
        shades=shades,
    )
