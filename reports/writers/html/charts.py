"""The timeline charts of the page, one function each; `CHARTS` lists them in page order. Pure.

The data is `timeline` of `report.json`: one value per second.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Final

from reports.writers.html.bands import health, phases
from reports.writers.html.canvas import Chart, ChartMaker, Layer, Line, series_of
from reports.writers.html.palette import BAD, GOOD, GREY, OFFERED, SECOND, WARN, colours
from reports.writers.html.pressure import shed, waits
from reports.writers.html.recovery import recovery

__all__ = ["CHARTS", "log_ticks"]

Data = Mapping[str, Any]

_FLOOR_S: Final = 0.001
"""Smallest time drawn, seconds: a logarithmic axis has no zero."""


def calls(data: Data) -> Chart | None:
    """Calls offered, good and failed."""
    timeline = data["timeline"]
    if not any(timeline["offered"]):
        return None
    return Chart(
        190,
        "calls/s",
        {name: series_of(timeline[name]) for name in ("offered", "good", "failed")},
        (
            Layer("area", "offered", BAD, base="good", alpha=0.28),
            Layer("line", "offered", GREY, width=3, alpha=0.6),
            Layer("line", "good", GOOD),
        ),
        (("offered", "offered"), ("good", "good"), ("failed", "failed")),
        ((GREY, "offered"), (GOOD, "good (ok, within every objective)"), (BAD, "not good")),
    )


def tokens(data: Data) -> Chart | None:
    """Goodput, tokens per second."""
    values = series_of(data["timeline"]["goodput_tokens"])
    if not any(values):
        return None
    return Chart(
        150,
        "tokens/s",
        {"tokens": values},
        (Layer("area", "tokens", OFFERED, alpha=0.18), Layer("line", "tokens", OFFERED)),
        (("tokens", "tokens"),),
        ((OFFERED, "tokens of good calls, by arrival at the client"),),
    )


def ttft(data: Data) -> Chart | None:
    """TTFT, p50 and p95 per second, on a logarithmic axis."""
    series = {
        name: [
            None if value is None else max(value, _FLOOR_S) for value in series_of(data["timeline"][f"ttft_{name}_s"])
        ]
        for name in ("p50", "p95")
    }
    known = [value for values in series.values() for value in values if value is not None]
    if not known:
        return None
    objective = (data["run"].get("slo") or {}).get("ttft")
    legend, lines = [(OFFERED, "p50"), (SECOND, "p95")], []
    if isinstance(objective, (int, float)) and objective > 0:
        lines.append(Line(float(objective), BAD))
        known.append(float(objective))
        legend.append((BAD, f"objective, {objective:g} s"))
    low, high = min(known) * 0.75, max(known) * 1.35
    return Chart(
        180,
        "seconds (log)",
        series,
        (Layer("line", "p50", OFFERED), Layer("line", "p95", SECOND)),
        (("p50 (s)", "p50"), ("p95 (s)", "p95")),
        legend,
        "By the second in which a call was sent. Calls that received no token are not included.",
        log=True,
        y_range=(low, high),
        ticks=log_ticks(low, high),
        lines=lines,
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks from `low` to `high`, both above 0: 1, 2 and 5 times each power of ten; the powers only if more than 7."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [(digit, round(digit * 10.0**power, 9)) for power in powers for digit in (1, 2, 5)]
    within = [(digit, tick) for digit, tick in ticks if low <= tick <= high]
    return [tick for digit, tick in within if digit == 1 or len(within) <= 7]


def failures(data: Data) -> Chart | None:
    """Failures by place (client, or upstream pool) and outcome."""
    errors = [entry for entry in data["timeline"]["errors"] if any(entry["counts"])]
    errors.sort(key=lambda entry: -sum(entry["counts"]))
    named = {}
    for entry in errors:
        where = "client" if entry["at"] == "client" else f"upstream {entry['pool']}".strip()
        named[f"{where}: {entry['outcome']}"] = series_of(entry["counts"])
    return _bars(
        170, "failures/s", named, colours(len(named), warm=True),
        "Upstream: failed attempts of the gateway. Client: calls that failed after all retries of the gateway.",
    )  # fmt: skip


def retries(data: Data) -> Chart | None:
    """Retries, migrations and rejections of the gateway per second, from its counters."""
    named, fills = {}, []
    for key, colour in (("retries", WARN), ("migrations", SECOND), ("refused", BAD)):
        counts = data["timeline"]["gateway"].get(key) or ()
        known = list(itertools.accumulate((float(count or 0) for count in counts), max))
        if known and known[-1]:
            named[key] = series_of(after - before for before, after in itertools.pairwise([0.0, *known]))
            fills.append(colour)
    return _bars(
        140,
        "per second",
        named,
        fills,
        "A retry restarts an answer; a migration continues a started answer on another replica.",
    )


def _bars(
    height: int, y_label: str, named: Mapping[str, list[float | None]], fills: list[str], note: str
) -> Chart | None:
    """Stacked bars; the legend shows the total of each series."""
    if not named:
        return None
    columns = {name: f"c{number}" for number, name in enumerate(named)}
    totals = {name: sum(value or 0 for value in values) for name, values in named.items()}
    return Chart(
        height,
        y_label,
        {columns[name]: values for name, values in named.items()},
        [Layer("bars", columns[name], colour) for name, colour in zip(named, fills, strict=True)],
        list(columns.items()),
        [(colour, f"{name} ({totals[name]:,.0f})") for name, colour in zip(named, fills, strict=True)],
        note,
    )


def sessions(data: Data) -> Chart | None:
    """Sessions running, and sessions lost so far."""
    running = series_of(data["timeline"]["sessions_running"])
    if not any(running):
        return None
    lost = list(itertools.accumulate(int(count) for count in data["timeline"]["sessions_lost"]))
    return Chart(
        150,
        "sessions",
        {"running": running, "lost": series_of(lost)},
        (
            Layer("area", "running", GREY, alpha=0.18),
            Layer("line", "running", GREY),
            Layer("steps", "lost", BAD, width=2),
        ),
        (("running", "running"), ("lost so far", "lost")),
        ((GREY, "running"), (BAD, f"lost so far ({lost[-1]:,})")),
    )


def queues(data: Data) -> Chart | None:
    """Requests waiting at each replica."""
    return _by_replica(data, "waiting", "requests waiting", 1.0)


def memory(data: Data) -> Chart | None:
    """Share of each replica's KV cache in use."""
    return _by_replica(data, "kv_used_share", "% of KV blocks", 100.0)


_TOOLTIP_MAX: Final = 12
"""With more replicas the chart has no tooltip: the list would hide it."""


def _by_replica(data: Data, key: str, y_label: str, scale: float) -> Chart | None:
    replicas = {
        name: state
        for name, state in data["timeline"]["replicas"].items()
        if any(v is not None for v in state.get(key, ()))
    }
    if not replicas:
        return None
    pools = list(dict.fromkeys(str(state["pool"]) for state in replicas.values()))
    colour_of = dict(zip(pools, colours(len(pools)), strict=True))
    dashes, seen = ("solid", "dashed", "dotted", "dotdash"), dict.fromkeys(pools, 0)
    series, layers = {}, []
    for number, state in enumerate(replicas.values()):
        pool, column = str(state["pool"]), f"c{number}"
        series[column] = series_of(state[key], scale)
        layers.append(Layer("line", column, colour_of[pool], width=1.6, dash=dashes[seen[pool] % len(dashes)]))
        seen[pool] += 1
    tooltip = [(name, f"c{number}") for number, name in enumerate(replicas)] if len(replicas) <= _TOOLTIP_MAX else []
    return Chart(150, y_label, series, layers, tooltip, [(colour_of[pool], pool or "replicas") for pool in pools])


CHARTS: Final[tuple[tuple[str, str, ChartMaker], ...]] = (
    ("phases", "", phases),
    ("calls", "Calls: offered and good", calls),
    ("tokens", "Goodput", tokens),
    ("ttft", "Time to first token", ttft),
    ("failures", "Failures", failures),
    ("retries", "Retries, migrations and rejections", retries),
    ("health", "Replica health as seen by the gateway", health),
    ("sessions", "Sessions", sessions),
    ("recovery", "Good / offered after the fault", recovery),
    ("shed", "Calls shed", shed),
    ("waits", "Waiting time", waits),
    ("queues", "Requests waiting at replicas", queues),
    ("memory", "KV cache in use", memory),
)
"""Every chart: id on the page, title, and the function that makes it."""
