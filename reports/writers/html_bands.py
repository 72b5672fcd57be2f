"""Two charts of bands: the phases and faults of a run, and what the gateway thought of each replica when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, LabelSet, Range1d

from reports.attributes import Transition
from reports.writers.html_canvas import Canvas, Drawn, Figure, fault_spans
from reports.writers.html_palette import BAD, FAULT, GOOD, GREY, OFFERED, WARN

__all__ = ["bands_of", "health", "phases"]

_PHASE_COLOURS: Final = {
    "setup": GREY,
    "warmup": GREY,
    "baseline": OFFERED,
    "fault": FAULT,
    "recovery": GOOD,
    "drain": GREY,
}
_HALF_OPEN: Final = "#b8a83a"
_LONGEST_NAME: Final = 13
_TEXT: Final = "#6f7885"
_LETTER: Final = 0.0085
"""Share of the axis that a letter takes."""

_MOST_REPLICAS: Final = 24
Band = dict[str, Any]


def phases(canvas: Canvas) -> Drawn | None:
    """The phases, and below them the faults, with their names."""
    last = float(canvas.timeline["seconds"])
    bands: list[Band] = []
    for phase in canvas.data["phases"]:
        start, end = max(0.0, phase["start_s"]), min(last, phase["end_s"])
        if end > start:
            what = phase["name"] + ("" if phase["finished"] else " (cut short)")
            bands.append(_band(start, end, 1.1, 1.9, _PHASE_COLOURS.get(phase["name"], GREY), what, ""))
    for fault in canvas.data["faults"]:
        if "injected" not in fault["stages"]:
            continue
        start, end = fault["stages"]["injected"], fault["stages"].get("reverted", last)
        where = ", ".join(fault["pools"] or fault["targets"])
        why = ", ".join(f"{stage} at {at:.2f} s" for stage, at in sorted(fault["stages"].items(), key=lambda s: s[1]))
        bands.append(_band(start, end, 0.1, 0.9, FAULT, f"{fault['kind']} {where}".strip(), why))
    if not bands:
        return None
    fig = canvas.blank(64, y_label="", y_range=Range1d(0, 2))
    _rows(fig, {1.5: "phase", **({0.5: "fault"} if canvas.data["faults"] else {})})
    # the longest name that its band has room for
    for band in bands:
        room = (band["right"] - band["left"]) / last / _LETTER
        its = (band["what"], band["what"].partition(" ")[0])
        band["name"] = next((name for name in its if len(name) <= room), "")
        band["middle"], band["height"] = (band["left"] + band["right"]) / 2, (band["top"] + band["bottom"]) / 2
    source = _quads(fig, bands, alpha=0.35)
    fig.add_layout(
        LabelSet(
            x="middle",
            y="height",
            text="name",
            source=source,
            text_align="center",
            text_baseline="middle",
            text_font_size="11px",
            text_color=_TEXT,
        )
    )
    return Drawn(fig, ())


def health(canvas: Canvas) -> Drawn | None:
    """Ejections (upper lane) and the breaker (lower lane) of each replica; where it had the fault."""
    replicas = [row["name"] for row in canvas.data["run"]["replicas"]] or list(canvas.timeline["replicas"])
    changes = canvas.data["health"]
    replicas = list(dict.fromkeys([*replicas, *(c["replica"] for c in changes if c["replica"])]))
    if not replicas or not (changes or any(v is not None for v in canvas.timeline["gateway"]["requests"])):
        return None
    told = replicas
    if len(replicas) > _MOST_REPLICAS:
        touched = {c["replica"] for c in changes} | {t for fault in canvas.data["faults"] for t in fault["targets"]}
        told = [name for name in replicas if name in touched][:_MOST_REPLICAS] or replicas[:_MOST_REPLICAS]
    last = float(canvas.timeline["seconds"])
    bands = bands_of(told, changes, canvas.data["faults"], last)
    fig = canvas.blank(34 + 22 * len(told), y_label="", y_range=Range1d(0, len(told)))
    _rows(fig, {len(told) - n - 0.5: name for n, name in enumerate(told)})
    _quads(fig, bands, alpha=0.85)
    drawn = {band["colour"] for band in bands}
    named = ((GOOD, "in rotation"), (FAULT, "had the fault"), (WARN, "ejected"), (BAD, "breaker open"))
    legend = [entry for entry in (*named, (_HALF_OPEN, "breaker half open")) if entry[0] in drawn]
    more = len(replicas) - len(told)
    return Drawn(fig, tuple(legend), f"{more:,} replicas that nothing happened to are not shown." if more else "")


def bands_of(
    replicas: list[str], changes: list[Mapping[str, Any]], faults: list[Mapping[str, Any]], last: float
) -> list[Band]:
    """One band a state: replica, from when to when, its lane, colour and reason. Pure."""
    row_of = {name: len(replicas) - number - 1 for number, name in enumerate(replicas)}
    bands: list[Band] = []
    spans = fault_spans({"faults": faults, "timeline": {"seconds": last}})
    injected = [fault for fault in faults if "injected" in fault["stages"]]
    for fault, (start, end) in zip(injected, spans, strict=True):
        for name in dict.fromkeys(fault["targets"]):
            if name in row_of:
                what = f"{name}: {fault['kind']} ({fault['id']})"
                bands.append(_band(start, end, row_of[name] + 0.4, row_of[name] + 0.6, FAULT, what, ""))
    by_replica: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for change in changes:
        if change["replica"] in row_of:
            by_replica[change["replica"]].append(change)
    for name, row in row_of.items():
        out = _lane(name, by_replica[name], _EJECTION, last, row + 0.62, row + 0.92)
        out += _lane(name, by_replica[name], _BREAKER, last, row + 0.08, row + 0.38)
        bands += out
        for start, end in _rest([(band["left"], band["right"]) for band in out], last):
            bands.append(_band(start, end, row + 0.46, row + 0.54, GOOD, f"{name}: in rotation", ""))
    return bands


def _rest(taken: list[tuple[float, float]], last: float) -> list[tuple[float, float]]:
    """What is left of 0 to `last`."""
    rest, at = [], 0.0
    for start, end in sorted(taken):
        if start > at:
            rest.append((at, start))
        at = max(at, end)
    return [*rest, (at, last)] if at < last else rest


_EJECTION: Final[dict[str, tuple[str, str] | None]] = {
    Transition.EJECTED: (WARN, "ejected"),
    Transition.READMITTED: None,
}
_BREAKER: Final[dict[str, tuple[str, str] | None]] = {
    Transition.BREAKER_OPEN: (BAD, "breaker open"),
    Transition.BREAKER_HALF_OPEN: (_HALF_OPEN, "breaker half open"),
    Transition.BREAKER_CLOSED: None,
}


def _lane(
    name: str,
    changes: list[Mapping[str, Any]],
    states: Mapping[str, tuple[str, str] | None],
    last: float,
    bottom: float,
    top: float,
) -> list[Band]:
    its = sorted((change for change in changes if change["transition"] in states), key=lambda change: change["at_s"])
    bands = []
    for number, change in enumerate(its):
        state = states[change["transition"]]
        end = its[number + 1]["at_s"] if number + 1 < len(its) else last
        if state is not None and end > change["at_s"]:
            bands.append(_band(change["at_s"], end, bottom, top, state[0], f"{name}: {state[1]}", change["why"]))
    return bands


def _band(left: float, right: float, bottom: float, top: float, colour: str, what: str, why: str) -> Band:
    return {
        "left": left,
        "right": right,
        "bottom": bottom,
        "top": top,
        "colour": colour,
        "what": what,
        "why": why or "-",
        "when": f"{left:.2f} to {right:.2f} s",
    }


def _quads(fig: Figure, bands: list[Band], alpha: float) -> ColumnDataSource:
    source = ColumnDataSource({key: [band[key] for band in bands] for key in bands[0]})
    quads = fig.quad("left", "right", "top", "bottom", color="colour", fill_alpha=alpha, line_color=None, source=source)
    told = [("", "@what"), ("when", "@when"), ("why", "@why")]
    fig.add_tools(HoverTool(renderers=[quads], tooltips=told, point_policy="follow_mouse"))
    return source


def _rows(fig: Figure, names: Mapping[float, str]) -> None:
    fig.yaxis.ticker = FixedTicker(ticks=list(names))
    short = {at: name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…" for at, name in names.items()}
    fig.yaxis.major_label_overrides = short
    fig.ygrid.grid_line_color = None
