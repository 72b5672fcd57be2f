"""Whether the stack stayed down, on the page: the evidence as lines, and a chart of good / offered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.shared.wording import number_text, value_text
from reports.writers.html.canvas import Chart, Layer, Line, Shade
from reports.writers.html.palette import BAD, GOOD, GREY, OFFERED

__all__ = ["metastability_view", "share_along"]

Data = Mapping[str, Any]

WINDOW: Final = 5
"""Seconds that a point of the chart looks back."""

_WORDS: Final = {"well": "It came back", "overloaded": "It stays down", "metastable": "It stays down by itself"}


def metastability_view(data: Data) -> dict[str, Any] | None:
    """What was judged and found; None where the grace period was never over."""
    its = data["metastability"]
    if its["judged_from_s"] is None:
        return None
    grace = (
        f"{value_text(its['grace_s'], 's')} from {its['trigger_gone_s']:.1f} s on: a client's timeout of "
        f"{value_text(its['client_timeout_s'], 's')}, and {value_text(round(its['drain_s'], 1), 's')} for a backlog of "
        f"{number_text(round(its['backlog_calls'], 1))} calls "
        f"({number_text(round(its['spare_calls_per_s'], 1))} calls a second to spare were seen)"
    )
    lines = [
        ("Grace period", grace),
        ("Judged", f"from {its['judged_from_s']:.1f} s to {its['judged_to_s']:.1f} s"),
        (
            "Good / offered",
            f"{_share(its['share'])}; baseline {_share(its['baseline_share'])}, down below {_share(its['bar'])}",
        ),
    ]
    if its["twin"] is not None:
        lines.append(("Its twin, without the fault", f"{_share(its['twin_share'])} at that time ({its['twin']})"))
    if its["shedding_s"] is not None:
        back = _share(its["readmission_share"])
        lines.append(("Shedding", f"new sessions were kept out from {its['shedding_s']:.1f} s on; let back: {back}"))
    return {
        "word": _WORDS.get(its["state"], "It cannot be told"),
        "state": its["state"] or "",
        "why": its["why"],
        "lines": lines,
        "persisting": [
            (
                one["what"],
                value_text(one["baseline"], one["unit"]),
                value_text(one["after"], one["unit"]),
                one["worse"],
            )
            for one in its["persisting"]
        ],
    }


def share_along(data: Data) -> Chart | None:
    """Good / offered of the calls sent in the 5 s up to each second, the grace period shaded."""
    its, timeline = data["metastability"], data["timeline"]
    if its["judged_from_s"] is None:
        return None
    offered, good = timeline["offered"], timeline["good"]
    shares: list[float | None] = []
    for end in range(1, len(offered) + 1):
        begin = max(0, end - WINDOW)
        asked = sum(offered[begin:end])
        shares.append(100.0 * sum(good[begin:end]) / asked if asked else None)
    shades = [Shade(its["trigger_gone_s"], its["judged_from_s"], GREY)]
    legend = [(GOOD, "good / offered"), (BAD, "70 % of the baseline's: below it, it is down"), (GREY, "grace period")]
    if its["shedding_s"] is not None and its["readmission_s"] is not None:
        shades.append(Shade(its["shedding_s"], its["readmission_s"], OFFERED))
        legend.append((OFFERED, "new sessions kept out"))
    return Chart(
        160,
        "% of calls",
        {"share": shares},
        (Layer("area", "share", GOOD, alpha=0.15), Layer("line", "share", GOOD)),
        (("good / offered (%)", "share"),),
        legend,
        f"Each point: the calls sent in the {WINDOW} s up to there.",
        y_range=(0.0, 105.0),
        lines=[Line(100.0 * its["bar"], BAD)],
        shades=shades,
    )


def _share(value: float | None) -> str:
    return "unknown" if value is None else value_text(value, "share")
