"""The timeline charts of the page, one function each; `CHARTS` lists them in their order.

Each is drawn from `timeline` of `report.json`: one value a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from bokeh.models import FixedTicker, Span

from reports.writers.html_bands import health, phases
from reports.writers.html_canvas import Canvas, Drawn
from reports.writers.html_palette import BAD, GOOD, GREY, OFFERED, SECOND, WARN, colours

__all__ = ["CHARTS", "log_ticks"]


def calls(canvas: Canvas) -> Drawn | None:
    """Good calls against offered ones."""
    timeline = canvas.timeline
    if not any(timeline["offered"]):
        return None
    fig = canvas.blank(190, y_label="calls a second")
    offered, good = canvas.column(timeline["offered"]), canvas.column(timeline["good"])
    source = canvas.source(offered=offered, good=good, failed=canvas.column(timeline["failed"]))
    fig.varea(x="x", y1="good", y2="offered", source=source, fill_color=BAD, fill_alpha=0.28)
    line = fig.line("x", "offered", source=source, line_color=GREY, line_width=3, line_alpha=0.6)
    fig.line("x", "good", source=source, line_color=GOOD, line_width=1.8)
    canvas.hover(fig, line, [("offered", "offered"), ("good", "good"), ("failed", "failed")])
    return Drawn(fig, ((GREY, "offered"), (GOOD, "good (ok, and within every objective)"), (BAD, "not good")))


def tokens(canvas: Canvas) -> Drawn | None:
    """Goodput in tokens."""
    values = canvas.column(canvas.timeline["goodput_tokens"])
    if not np.nansum(values):
        return None
    fig = canvas.blank(150, y_label="tokens a second")
    source = canvas.source(tokens=values)
    fig.varea(x="x", y1=0, y2="tokens", source=source, fill_color=OFFERED, fill_alpha=0.18)
    line = fig.line("x", "tokens", source=source, line_color=OFFERED, line_width=1.8)
    canvas.hover(fig, line, [("tokens", "tokens")])
    return Drawn(fig, ((OFFERED, "tokens of good calls, when they reached the client"),))


def ttft(canvas: Canvas) -> Drawn | None:
    """Time to first token, p50 and p95 of each second, on a logarithmic axis."""
    p50, p95 = canvas.column(canvas.timeline["ttft_p50_s"]), canvas.column(canvas.timeline["ttft_p95_s"])
    if not np.isfinite(p50).any():
        return None
    floor = 0.001  # a logarithm has no zero
    p50, p95 = np.maximum(p50, floor), np.maximum(p95, floor)
    fig = canvas.blank(180, y_label="seconds (log)", log=True)
    source = canvas.source(p50=p50, p95=p95)
    fig.line("x", "p50", source=source, line_color=OFFERED, line_width=1.8)
    line = fig.line("x", "p95", source=source, line_color=SECOND, line_width=1.8)
    canvas.hover(fig, line, [("p50 (s)", "p50"), ("p95 (s)", "p95")])
    legend = [(OFFERED, "p50"), (SECOND, "p95")]
    lowest, highest = float(np.nanmin(p50)), float(np.nanmax(p95))
    objective = (canvas.data["run"].get("slo") or {}).get("ttft")
    if isinstance(objective, (int, float)) and objective > 0:
        fig.add_layout(Span(location=objective, dimension="width", line_color=BAD, line_dash="dashed", line_width=1.2))
        lowest, highest = min(lowest, objective), max(highest, objective)
        legend.append((BAD, f"objective, {objective:g} s"))
    fig.y_range.start, fig.y_range.end = lowest * 0.75, highest * 1.35
    fig.yaxis.ticker = FixedTicker(ticks=log_ticks(lowest * 0.75, highest * 1.35))
    return Drawn(fig, tuple(legend), "By the second a call was sent; calls that got no token are not in it.")


def log_ticks(low: float, high: float) -> list[float]:
    """Round values from `low` to `high`, both above 0: 1, 2 and 5 of each power of ten, or the powers alone."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [(lead, round(lead * 10.0**power, 9)) for power in powers for lead in (1, 2, 5)]
    within = [(lead, tick) for lead, tick in ticks if low <= tick <= high]
    return [tick for lead, tick in within if lead == 1 or len(within) <= 7]


def failures(canvas: Canvas) -> Drawn | None:
    """What failed, by where and how."""
    series = [entry for entry in canvas.timeline["errors"] if any(entry["counts"])]
    if not series:
        return None
    series.sort(key=lambda entry: -sum(entry["counts"]))
    fig = canvas.blank(170, y_label="failures a second")
    columns: dict[str, Any] = {}
    named, legend = [], []
    for number, (entry, colour) in enumerate(zip(series, colours(len(series), warm=True), strict=True)):
        columns[f"c{number}"] = canvas.column(entry["counts"])
        where = "client" if entry["at"] == "client" else f"upstream {entry['pool']}".strip()
        named.append((f"{where}: {entry['outcome']}", f"c{number}"))
        legend.append((colour, f"{where}: {entry['outcome']} ({sum(entry['counts']):,})"))
    source = canvas.source(**columns)
    bars = fig.vbar_stack(
        [column for _, column in named], x="x", width=0.9, color=[c for c, _ in legend], source=source
    )
    canvas.hover(fig, bars[0], named)
    return Drawn(fig, tuple(legend), "An upstream failure that the gateway made good is none of the client's.")


def second_tries(canvas: Canvas) -> Drawn | None:
    """Retries, migrations and refusals of the gateway, a second."""
    gateway = canvas.timeline["gateway"]
    columns: dict[str, Any] = {}
    legend, named = [], []
    for key, colour in (("retries", WARN), ("migrations", SECOND), ("refused", BAD)):
        counts = canvas.column(gateway.get(key) or ())
        if counts.size != canvas.middles.size or not np.nanmax(counts, initial=0.0):
            continue
        known = np.maximum.accumulate(np.nan_to_num(counts))
        columns[key] = np.diff(known, prepend=0.0)
        legend.append((colour, f"{key} ({known[-1]:,.0f})"))
        named.append((key, key))
    if not named:
        return None
    fig = canvas.blank(140, y_label="a second")
    source = canvas.source(**columns)
    fills = [colour for colour, _ in legend]
    bars = fig.vbar_stack([key for key, _ in named], x="x", width=0.9, color=fills, line_color=None, source=source)
    canvas.hover(fig, bars[0], named)
    return Drawn(fig, tuple(legend), "A retry starts a call again; a migration carries a started answer on.")


def sessions(canvas: Canvas) -> Drawn | None:
    """Sessions going on, and those lost so far."""
    running = canvas.column(canvas.timeline["sessions_running"])
    if not np.nansum(running):
        return None
    lost = np.zeros(running.size)
    for session in canvas.data["sessions_lost"]:
        lost[min(running.size - 1, max(0, int(session["ended_s"]))) :] += 1
    fig = canvas.blank(150, y_label="sessions")
    source = canvas.source(running=running, lost=lost)
    fig.varea(x="x", y1=0, y2="running", source=source, fill_color=GREY, fill_alpha=0.18)
    line = fig.line("x", "running", source=source, line_color=GREY, line_width=1.8)
    fig.step("x", "lost", source=source, line_color=BAD, line_width=2, mode="after")
    canvas.hover(fig, line, [("going on", "running"), ("lost so far", "lost")])
    return Drawn(fig, ((GREY, "going on"), (BAD, f"lost so far ({lost[-1]:.0f})")))


def queues(canvas: Canvas) -> Drawn | None:
    """Requests that wait at each replica."""
    return _by_replica(canvas, "waiting", "requests waiting", 1.0)


def memory(canvas: Canvas) -> Drawn | None:
    """Use of each replica's KV cache."""
    return _by_replica(canvas, "kv_used_share", "% of KV blocks", 100.0)


def _by_replica(canvas: Canvas, key: str, label: str, scale: float) -> Drawn | None:
    replicas = {name: its for name, its in canvas.timeline["replicas"].items() if any(v is not None for v in its[key])}
    if not replicas:
        return None
    pools = list(dict.fromkeys(its["pool"] for its in replicas.values()))
    colour_of = dict(zip(pools, colours(len(pools)), strict=True))
    fig = canvas.blank(150, y_label=label)
    columns: dict[str, Any] = {}
    columns |= {f"c{n}": canvas.column(its[key]) * scale for n, its in enumerate(replicas.values())}
    source = canvas.source(**columns)
    dashes, seen = ("solid", "dashed", "dotted", "dotdash"), dict.fromkeys(pools, 0)
    renderer = None
    for number, its in enumerate(replicas.values()):
        dash = dashes[seen[its["pool"]] % len(dashes)]
        seen[its["pool"]] += 1
        renderer = fig.line(
            "x", f"c{number}", source=source, line_color=colour_of[its["pool"]], line_dash=dash, line_width=1.6
        )
    if len(replicas) <= 12:
        canvas.hover(fig, renderer, [(name, f"c{n}") for n, name in enumerate(replicas)])
    return Drawn(fig, tuple((colour_of[pool], pool or "replicas") for pool in pools))


CHARTS: Final[tuple[tuple[str, str, Callable[[Canvas], Drawn | None]], ...]] = (
    ("phases", "", phases),
    ("calls", "Calls: offered and good", calls),
    ("tokens", "Goodput", tokens),
    ("ttft", "Time to first token", ttft),
    ("failures", "Failures", failures),
    ("second-tries", "Second tries", second_tries),
    ("health", "What the gateway thought of each replica", health),
    ("sessions", "Sessions", sessions),
    ("queues", "Queues", queues),
    ("memory", "KV cache in use", memory),
)
"""Every chart: its id on the page, its title, the function that draws it."""
