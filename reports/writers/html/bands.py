"""Two charts of bands: the phases and faults of a run, and the health of each replica as the gateway saw it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from reports.explanation.alert_words import alert_text
from reports.shared.attributes import Transition
from reports.writers.html.canvas import Band, Chart, fault_spans
from reports.writers.html.palette import BAD, FAULT, GOOD, GREY, HALF_OPEN, OFFERED, WARN

__all__ = ["bands_of", "health", "phases"]

Data = Mapping[str, Any]

_PHASE_COLOURS: Final = {
    "setup": GREY,
    "warmup": GREY,
    "baseline": OFFERED,
    "fault": FAULT,
    "recovery": GOOD,
    "drain": GREY,
}
_LONGEST_NAME: Final = 13
"""Longer names of replicas are cut, in letters."""

_LETTER_WIDTH: Final = 0.0085
"""Width of a letter, as a share of the axis."""

_LEAST_SHOWN: Final = 0.004
"""Least width of an alert, as a share of the axis."""

_MOST_REPLICAS: Final = 24
"""In a larger fleet only replicas with a fault or a change of health are shown, up to this number."""


def phases(data: Data) -> Chart | None:
    """The phases in one row, the faults in a row below, and the alerts below them if there are any."""
    last = float(data["timeline"]["seconds"])
    bands: list[Band] = []
    for phase in data["phases"]:
        start, end = max(0.0, phase["start_s"]), min(last, phase["end_s"])
        if end > start:
            what = phase["name"] + ("" if phase["finished"] else " (cut short)")
            bands.append(Band(start, end, 1.1, 1.9, _PHASE_COLOURS.get(phase["name"], GREY), what))
    injected = [fault for fault in data["faults"] if "injected" in fault["stages"]]
    for fault, (start, end) in zip(injected, fault_spans(data), strict=True):
        where = ", ".join(fault["pools"] or fault["targets"])
        stages = sorted((at, stage) for stage, at in fault["stages"].items() if stage != "planned")
        why = ", ".join(f"{stage} at {at:.2f} s" for at, stage in stages)
        bands.append(Band(start, end, 0.1, 0.9, FAULT, f"{fault['kind']} {where}".strip(), why))
    if not bands:
        return None
    alerts = _alerts(data, last)
    low = -1.0 if alerts else 0.0
    return Chart(
        96 if alerts else 64,
        "",
        bands=[replace(band, label=_label(band, last)) for band in (*bands, *alerts)],
        rows={1.5: "phase"} | ({0.5: "fault"} if injected else {}) | ({-0.5: "alert"} if alerts else {}),
        y_range=(low, 2.0),
    )


def _alerts(data: Data, last: float) -> list[Band]:
    """The alerts of the user's monitoring, each from when it was received until it was resolved, or the end."""
    bands = []
    for change in (data.get("alerts") or {"changes": ()})["changes"]:
        start, end = max(0.0, change["at_s"]), change["resolved_s"]
        if change["status"] == "firing" and start < last:
            end = last if end is None else min(end, last)
            colour = WARN if change["counts"] else GREY
            what = change["name"] or "alert"
            bands.append(
                Band(start, max(end, start + _LEAST_SHOWN * last), -0.9, -0.1, colour, what, alert_text(change))
            )
    return bands


def _label(band: Band, last: float) -> str:
    """The longest name that fits into the band; "" if none does."""
    room = (band.right - band.left) / last / _LETTER_WIDTH
    return next((name for name in (band.what, band.what.partition(" ")[0]) if len(name) <= room), "")


def health(data: Data) -> Chart | None:
    """Per replica: ejections (upper lane), circuit breaker (lower lane), faults and time in rotation (middle)."""
    timeline, changes = data["timeline"], data["health"]
    replicas = [str(row["name"]) for row in data["run"]["replicas"]] or list(timeline["replicas"])
    replicas = list(dict.fromkeys([*replicas, *(change["replica"] for change in changes if change["replica"])]))
    watched = bool(changes) or any(count is not None for count in timeline["gateway"]["requests"])
    if not replicas or not watched:
        return None
    listed = replicas
    if len(replicas) > _MOST_REPLICAS:
        touched = {c["replica"] for c in changes} | {t for fault in data["faults"] for t in fault["targets"]}
        listed = [name for name in replicas if name in touched][:_MOST_REPLICAS] or replicas[:_MOST_REPLICAS]
    bands = bands_of(listed, changes, data["faults"], float(timeline["seconds"]))
    shown = {band.colour for band in bands}
    named = ((GOOD, "in rotation"), (FAULT, "fault"), (WARN, "ejected"), (BAD, "breaker open"))
    more = len(replicas) - len(listed)
    return Chart(
        34 + 22 * len(listed),
        "",
        bands=bands,
        rows={len(listed) - number - 0.5: _short(name) for number, name in enumerate(listed)},
        y_range=(0.0, float(len(listed))),
        legend=[entry for entry in (*named, (HALF_OPEN, "breaker half open")) if entry[0] in shown],
        note=f"{more:,} more replicas are not shown." if more else "",
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def bands_of(replicas: Sequence[str], changes: Sequence[Data], faults: Sequence[Data], last: float) -> list[Band]:
    """A band for each state of a replica: faulty, ejected, breaker open or half open, else in rotation."""
    row_of = {name: len(replicas) - number - 1 for number, name in enumerate(replicas)}
    bands: list[Band] = []
    rotation: list[Band] = []
    spans = fault_spans({"faults": faults, "timeline": {"seconds": last}})
    injected = [fault for fault in faults if "injected" in fault["stages"]]
    for fault, (start, end) in zip(injected, spans, strict=True):
        for name in dict.fromkeys(fault["targets"]):
            if name in row_of:
                what = f"{name}: {fault['kind']} ({fault['id']})"
                bands.append(Band(start, end, row_of[name] + 0.4, row_of[name] + 0.6, FAULT, what))
    by_replica: dict[str, list[Data]] = defaultdict(list)
    for change in changes:
        by_replica[change["replica"]].append(change)
    for name, row in row_of.items():
        out = _lane(name, by_replica[name], _EJECTION, last, row + 0.62, row + 0.92)
        out += _lane(name, by_replica[name], _BREAKER, last, row + 0.08, row + 0.38)
        bands += out
        for start, end in _rest([(band.left, band.right) for band in out], last):
            rotation.append(Band(start, end, row + 0.46, row + 0.54, GOOD, f"{name}: in rotation"))
    return [*rotation, *bands]  # drawn in this order: rotation below the others


def _rest(taken: list[tuple[float, float]], last: float) -> list[tuple[float, float]]:
    """The stretches of 0 to `last` that `taken` does not cover."""
    rest, at = [], 0.0
    for start, end in sorted(taken):
        if start > at:
            rest.append((at, start))
        at = max(at, end)
    return [*rest, (at, last)] if at < last else rest


_States = Mapping[str, tuple[str, str] | None]

_EJECTION: Final[_States] = {Transition.EJECTED: (WARN, "ejected"), Transition.READMITTED: None}
_BREAKER: Final[_States] = {
    Transition.BREAKER_OPEN: (BAD, "breaker open"),
    Transition.BREAKER_HALF_OPEN: (HALF_OPEN, "breaker half open"),
    Transition.BREAKER_CLOSED: None,
}


def _lane(name: str, changes: Sequence[Data], states: _States, last: float, bottom: float, top: float) -> list[Band]:
    lane = sorted((change for change in changes if change["transition"] in states), key=lambda change: change["at_s"])
    bands = []
    for number, change in enumerate(lane):
        state = states[change["transition"]]
        start, end = max(0.0, change["at_s"]), lane[number + 1]["at_s"] if number + 1 < len(lane) else last
        if state is not None and end > start:
            bands.append(Band(start, end, bottom, top, state[0], f"{name}: {state[1]}", change["why"] or "-"))
    return bands
