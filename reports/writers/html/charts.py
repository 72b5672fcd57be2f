"""The timeline charts of the page, one function each; `CHARTS` lists them in their order. Pure.

Each is made of `timeline` of `report.json`: one value a second.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Final

from reports.writers.html.bands import health, phases
from reports.writers.html.canvas import Chart, ChartMaker, Layer, Line, series_of
from reports.writers.html.metastability import share_along
from reports.writers.html.palette import BAD, GOOD, GREY, OFFERED, SECOND, WARN, colours
from reports.writers.html.pressure import shed, waits

__all__ = ["CHARTS", "log_ticks"]

Data = Mapping[str, Any]

_FLOOR_S: Final = 0.001
"""The least time on a logarithmic axis, which has no zero."""


def calls(data: Data) -> Chart | None:
    """Good calls against offered ones."""
    timeline = data["timeline"]
    if not any(timeline["offered"]):
        return None
    return Chart(
        190,
        "calls a second",
        {name: series_of(timeline[name]) for name in ("offered", "good", "failed")},
        (
            Layer("area", "offered", BAD, base="good", alpha=0.28),
            Layer("line", "offered", GREY, width=3, alpha=0.6),
            Layer("line", "good", GOOD),
        ),
        (("offered", "offered"), ("good", "good"), ("failed", "failed")),
        ((GREY, "offered"), (GOOD, "good (ok, and within every objective)"), (BAD, "not good")),
    )


def tokens(data: Data) -> Chart | None:
    """Goodput in tokens."""
    values = series_of(data["timeline"]["goodput_tokens"])
    if not any(values):
        return None
    return Chart(
        150,
        "tokens a second",
        {"tokens": values},
        (Layer("area", "tokens", OFFERED, alpha=0.18), Layer("line", "tokens", OFFERED)),
        (("tokens", "tokens"),),
        ((OFFERED, "tokens of good calls, when they reached the client"),),
    )


def ttft(data: Data) -> Chart | None:
    """Time to first token, p50 and p95 of each second, on a logarithmic axis."""
    series = {
        name: [
            None if value is None else max(value, _FLOOR_S) for value in series_of(data["timeline"][f"ttft_{name}_s"])
        ]
        for name in ("p50", "p95")
    }
    known = [value for its in series.values() for value in its if value is not None]
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
        "By the second a call was sent; calls that got no token are not in it.",
        log=True,
        y_range=(low, high),
        ticks=log_ticks(low, high),
        lines=lines,
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Round values from `low` to `high`, both above 0: 1, 2 and 5 of each power of ten, or the powers alone."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [(lead, round(lead * 10.0**power, 9)) for power in powers for lead in (1, 2, 5)]
    within = [(lead, tick) for lead, tick in ticks if low <= tick <= high]
    return [tick for lead, tick in within if lead == 1 or len(within) <= 7]


def failures(data: Data) -> Chart | None:
    """What failed, by where and how."""
    errors = [entry for entry in data["timeline"]["errors"] if any(entry["counts"])]
    errors.sort(key=lambda entry: -sum(entry["counts"]))
    named = {}
    for entry in errors:
        where = "client" if entry["at"] == "client" else f"upstream {entry['pool']}".strip()
        named[f"{where}: {entry['outcome']}"] = series_of(entry["counts"])
    return _bars(
        170, "failures a second", named, colours(len(named), warm=True),
        "An upstream failure that the gateway made good is none of the client's.",
    )  # fmt: skip


def second_tries(data: Data) -> Chart | None:
    """Retries, migrations and refusals of the gateway, a second: differences of its counters."""
    named, fills = {}, []
    for key, colour in (("retries", WARN), ("migrations", SECOND), ("refused", BAD)):
        counts = data["timeline"]["gateway"].get(key) or ()
        known = list(itertools.accumulate((float(count or 0) for count in counts), max))
        if known and known[-1]:
            named[key] = series_of(after - before for before, after in itertools.pairwise([0.0, *known]))
            fills.append(colour)
    return _bars(140, "a second", named, fills, "A retry starts a call again; a migration carries a started answer on.")


def _bars(
    height: int, y_label: str, named: Mapping[str, list[float | None]], fills: list[str], note: str
) -> Chart | None:
    """Stacked bars, with the total of each in the legend."""
    if not named:
        return None
    columns = {name: f"c{number}" for number, name in enumerate(named)}
    totals = {name: sum(value or 0 for value in its) for name, its in named.items()}
    return Chart(
        height,
        y_label,
        {columns[name]: its for name, its in named.items()},
        [Layer("bars", columns[name], colour) for name, colour in zip(named, fills, strict=True)],
        list(columns.items()),
        [(colour, f"{name} ({totals[name]:,.0f})") for name, colour in zip(named, fills, strict=True)],
        note,
    )


def sessions(data: Data) -> Chart | None:
    """Sessions going on, and those lost so far."""
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
        (("going on", "running"), ("lost so far", "lost")),
        ((GREY, "going on"), (BAD, f"lost so far ({lost[-1]:,})")),
    )


def queues(data: Data) -> Chart | None:
    """Requests that wait at each replica."""
    return _by_replica(data, "waiting", "requests waiting", 1.0)


def memory(data: Data) -> Chart | None:
    """Use of each replica's KV cache."""
    return _by_replica(data, "kv_used_share", "% of KV blocks", 100.0)


_TOLD: Final = 12
"""With more replicas than that, the pointer tells none of them: the list would hide the chart."""


def _by_replica(data: Data, key: str, y_label: str, scale: float) -> Chart | None:
    replicas = {
        name: its for name, its in data["timeline"]["replicas"].items() if any(v is not None for v in its.get(key, ()))
    }
    if not replicas:
        return None
    pools = list(dict.fromkeys(str(its["pool"]) for its in replicas.values()))
    colour_of = dict(zip(pools, colours(len(pools)), strict=True))
    dashes, seen = ("solid", "dashed", "dotted", "dotdash"), dict.fromkeys(pools, 0)
    series, layers = {}, []
    for number, its in enumerate(replicas.values()):
        pool, column = str(its["pool"]), f"c{number}"
        series[column] = series_of(its[key], scale)
        layers.append(Layer("line", column, colour_of[pool], width=1.6, dash=dashes[seen[pool] % len(dashes)]))
        seen[pool] += 1
    told = [(name, f"c{number}") for number, name in enumerate(replicas)] if len(replicas) <= _TOLD else []
    return Chart(150, y_label, series, layers, told, [(colour_of[pool], pool or "replicas") for pool in pools])


CHARTS: Final[tuple[tuple[str, str, ChartMaker], ...]] = (
    ("phases", "", phases),
    ("calls", "Calls: offered and good", calls),
    ("tokens", "Goodput", tokens),
    ("ttft", "Time to first token", ttft),
    ("failures", "Failures", failures),
    ("second-tries", "Second tries", second_tries),
    ("health", "What the gateway thought of each replica", health),
    ("sessions", "Sessions", sessions),
    ("stays-down", "Good / offered, and the grace period", share_along),
    ("shed", "Calls sent away", shed),
    ("waits", "Waits", waits),
    ("queues", "Queues", queues),
    ("memory", "KV cache in use", memory),
)
"""Every chart: its id on the page, its title, the function that makes it."""
