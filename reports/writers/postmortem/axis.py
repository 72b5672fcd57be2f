"""The three lanes of an exercise on one axis of time, as SVG: no script, no style attribute, no network. Pure.

Each kind of mark has its own shape, so that colours are not needed to tell them apart. Marks of a kind that are nearer
than a few pixels are one mark: the number of marks is bounded, however many notes people wrote.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.gameday.words import clock_text
from reports.shared.plain_text import printable_line
from reports.writers.postmortem.entries import LANES, Entry

__all__ = ["KEYS", "axis_svg", "key_svg"]

_LEFT, _RIGHT, _WIDTH = 76.0, 984.0, 1000.0
_ROW, _LABEL, _PAD = 20.0, 15.0, 8.0
_LABEL_ROWS: Final = 4
_LETTER: Final = 6.1
"""Width of a letter of a label, at most, pixels."""
_MERGED: Final = 7.0
"""Marks of a kind that are nearer than this are one, pixels."""
_FAULT_ROWS: Final = 12
"""Faults that are active at the same time and have a row of their own."""
_TITLES: Final = 6
"""Texts in the title of a mark."""
_LONGEST: Final = 34
"""Letters of a label."""
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_TICKS: Final = 10

KEYS: Final[dict[str, tuple[str, str]]] = {
    "detected": ("diamond", "detected"),
    "failover": ("down", "failed a call over"),
    "ejected": ("square", "ejected, breaker opened"),
    "readmitted": ("ring", "readmitted, breaker closed"),
    "notice": ("up", "noticed"),
    "false notice": ("cross", "noticed, nothing was played"),
    "belief": ("ring", "belief that was not right"),
    "right belief": ("dot", "right belief"),
    "operation": ("square", "operation"),
    "repair": ("plus", "operation that repaired"),
    "hint": ("down", "hint"),
    "question": ("diamond", "question"),
    "answer": ("diamond", "answer"),
    "note": ("tick", "note"),
    "action": ("tick", "action to do"),
    "order": ("tick", "order of the game master, or with a reason"),
    "warning": ("cross", "warning, abort"),
    "state": ("line", "start, end"),
}
"""Shape and meaning of each kind of mark. The reverts of faults are the ends of their bars."""

_LABELLED: Final = (
    *("detected", "notice", "right belief", "repair", "operation", "belief", "ejected", "failover", "hint", "question"),
)
"""Kinds with a label beside the mark, the most important first; others have a title only."""


@dataclass(frozen=True, slots=True)
class _Mark:
    x: float
    kind: str
    entries: tuple[Entry, ...]


def axis_svg(entries: Sequence[Entry], duration_s: float) -> str:
    """The drawing. `duration_s`: of the exercise; what is before or after it widens the axis a little."""
    scale = _Scale(entries, duration_s)
    parts: list[str] = []
    y = _PAD
    for lane in LANES:
        mine = [entry for entry in entries if entry.lane == lane]
        drawn, height = _fault_lane(mine, scale, y) if lane == "faults" else _mark_lane(mine, scale, y)
        parts.append(f'<text class="pm-lane" x="0" y="{y + 14:.0f}">{lane}</text>')
        parts += drawn
        y += height
        parts.append(f'<line class="pm-rule" x1="0" x2="{_WIDTH:.0f}" y1="{y:.0f}" y2="{y:.0f}"/>')
        y += _PAD
    grid = [
        f'<line class="pm-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_PAD:.0f}" y2="{y:.0f}"/>'
        f'<text class="pm-tick" x="{x:.1f}" y="{y + 12:.0f}">{clock_text(t_s)}</text>'
        for t_s, x in scale.ticks()
    ]
    height = y + 18
    words = _escaped(_in_words(entries, duration_s))
    return (
        f'<svg class="pm" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}" height="{height:.0f}" '
        'role="img" aria-labelledby="axis-title axis-words">'
        '<title id="axis-title">Faults, system and people on one axis of time</title>'
        f'<desc id="axis-words">{words}</desc>'
        f"{''.join(grid)}{''.join(parts)}</svg>"
    )


def key_svg(kind: str) -> str:
    """The mark of a kind, for the key."""
    size = 'viewBox="0 0 16 16" width="16" height="16"'
    return f'<svg class="pm key" {size} aria-hidden="true">{_shape(kind, 8, 8)}</svg>'


class _Scale:
    """Positions of times."""

    def __init__(self, entries: Sequence[Entry], duration_s: float) -> None:
        times = [entry.t_s for entry in entries] + [
            entry.end_s for entry in entries if entry.end_s is not None and math.isfinite(entry.end_s)
        ]
        longest = max(1.0, duration_s)
        self.first_s = max(min([0.0, *times]), -0.1 * longest)
        self.last_s = min(max([longest, *times]), 1.3 * longest)

    def x(self, t_s: float) -> float:
        share = (min(max(t_s, self.first_s), self.last_s) - self.first_s) / (self.last_s - self.first_s)
        return _LEFT + share * (_RIGHT - _LEFT)

    def ticks(self) -> Iterator[tuple[float, float]]:
        length = self.last_s - self.first_s
        step = next((step for step in _STEPS_S if length / step <= _TICKS), math.ceil(length / _TICKS / 3600) * 3600)
        t_s = math.ceil(self.first_s / step) * step
        while t_s <= self.last_s:
            yield t_s, self.x(t_s)
            t_s += step


def _fault_lane(entries: Sequence[Entry], scale: _Scale, top: float) -> tuple[list[str], float]:
    parts: list[str] = []
    free: list[float] = []
    for entry in (one for one in entries if one.end_s is not None):
        row = next((index for index, end_s in enumerate(free) if end_s <= entry.t_s), len(free))
        row = min(row, _FAULT_ROWS - 1)
        end_s = math.inf if entry.end_s is None else entry.end_s
        free[row : row + 1] = [end_s]
        left, right = scale.x(entry.t_s), scale.x(end_s)
        y = top + row * _ROW
        what = _escaped(_cut(entry.text, 90))
        until = clock_text(end_s) if math.isfinite(end_s) else "no end is recorded"
        width = max(3.0, right - left)
        parts.append(
            f"<g><title>{what}, {clock_text(entry.t_s)} to {until}</title>"
            f'<rect class="pm-fault" x="{left:.1f}" y="{y + 2:.1f}" width="{width:.1f}" height="15" rx="2"/>'
            + _bar_text(entry.text, left, left + width, y + 14)
            + "</g>"
        )
    return parts, max(1, len(free)) * _ROW


def _bar_text(text: str, left: float, right: float, y: float) -> str:
    """In the bar if there is room, else beside it on the side that has more."""
    room = int((right - left - 8) / _LETTER)
    if room >= min(len(text), 12):
        return f'<text class="pm-in" x="{left + 4:.1f}" y="{y:.1f}">{_escaped(_cut(text, room))}</text>'
    before, after = left - _LEFT, _RIGHT - right
    if after >= before:
        return f'<text x="{right + 4:.1f}" y="{y:.1f}">{_escaped(_cut(text, int(after / _LETTER)))}</text>'
    return f'<text class="pm-end" x="{left - 4:.1f}" y="{y:.1f}">{_escaped(_cut(text, int(before / _LETTER)))}</text>'


def _mark_lane(entries: Sequence[Entry], scale: _Scale, top: float) -> tuple[list[str], float]:
    marks = list(_marks(entries, scale))
    labels, rows = _labels(marks)
    middle = top + 9
    parts = [
        f"<g><title>{_escaped(_title(mark))}</title>{_shape(mark.kind, mark.x, middle)}</g>"
        for mark in sorted(marks, key=lambda mark: mark.kind in _LABELLED)  # the important ones are drawn last
    ]
    for x, row, text in labels:
        y = top + _ROW + (row + 1) * _LABEL - 4
        parts.append(f'<line class="pm-leader" x1="{x:.1f}" x2="{x:.1f}" y1="{middle + 6:.1f}" y2="{y - 9:.1f}"/>')
        parts.append(_label_text(x, y, text))
    return parts, _ROW + rows * _LABEL + 2


def _marks(entries: Iterable[Entry], scale: _Scale) -> Iterator[_Mark]:
    """The marks, those of a kind that are near each other as one."""
    open_: dict[str, tuple[float, list[Entry]]] = {}
    for entry in sorted(entries, key=lambda one: one.t_s):
        if entry.kind not in KEYS:
            continue
        x = scale.x(entry.t_s)
        known = open_.get(entry.kind)
        if known is not None and x - known[0] < _MERGED:
            known[1].append(entry)
            continue
        if known is not None:
            yield _Mark(known[0], entry.kind, tuple(known[1]))
        open_[entry.kind] = (x, [entry])
    for kind, (x, found) in open_.items():
        yield _Mark(x, kind, tuple(found))


def _labels(marks: Sequence[_Mark]) -> tuple[list[tuple[float, int, str]], int]:
    """Which marks have a label, and in which row below them: those for which there is room."""
    found: list[tuple[float, int, str]] = []
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LABEL_ROWS)]
    wanted = [mark for mark in marks if mark.kind in _LABELLED]
    wanted.sort(key=lambda mark: (_LABELLED.index(mark.kind), mark.x))
    for mark in wanted:
        text = _label(mark)
        left, right = _extent(mark.x, text)
        for row, spans in enumerate(taken):
            if all(right + 6 < first or left - 6 > last for first, last in spans):
                spans.append((left, right))
                for above in taken[:row]:  # its leader passes these rows
                    above.append((mark.x - 1, mark.x + 1))
                found.append((mark.x, row, text))
                break
    return found, max((row for _, row, _ in found), default=-1) + 1


def _label(mark: _Mark) -> str:
    first = mark.entries[0]
    text = KEYS[mark.kind][1] if mark.kind in ("notice", "right belief") else first.text
    who = f"{first.who}: " if first.who else ""
    more = f" (+{len(mark.entries) - 1})" if len(mark.entries) > 1 else ""
    return _cut(who + text, _LONGEST) + more


def _extent(x: float, text: str) -> tuple[float, float]:
    width = len(text) * _LETTER
    return (x, x + width) if x + width <= _WIDTH else (x - width, x)


def _label_text(x: float, y: float, text: str) -> str:
    side = "" if x + len(text) * _LETTER <= _WIDTH else ' class="pm-end"'
    return f'<text{side} x="{x:.1f}" y="{y:.1f}">{_escaped(text)}</text>'


def _title(mark: _Mark) -> str:
    shown = [
        f"{clock_text(one.t_s)} {one.who + ': ' if one.who else ''}{_cut(one.text, 160)}"
        for one in mark.entries[:_TITLES]
    ]
    more = len(mark.entries) - len(shown)
    return "; ".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])


def _shape(kind: str, x: float, y: float) -> str:
    shape, _ = KEYS[kind]
    points: tuple[tuple[float, float], ...]
    name = f'class="m-{kind.replace(" ", "-")}"'
    match shape:
        case "dot" | "ring":
            return f'<circle {name} cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        case "square":
            return f'<rect {name} x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"/>'
        case "diamond":
            points = ((x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y))
        case "up":
            points = ((x, y - 6), (x + 6, y + 5), (x - 6, y + 5))
        case "down":
            points = ((x, y + 6), (x + 6, y - 5), (x - 6, y - 5))
        case "plus":
            return f'<path {name} d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12"/>'
        case "cross":
            return f'<path {name} d="M{x - 4.5:.1f} {y - 4.5:.1f}l9 9M{x - 4.5:.1f} {y + 4.5:.1f}l9 -9"/>'
        case "line":
            return f'<path {name} d="M{x:.1f} {y - 8:.1f}v16"/>'
        case _:
            return f'<path {name} d="M{x:.1f} {y - 4:.1f}v8"/>'
    return f'<polygon {name} points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>'


def _in_words(entries: Sequence[Entry], duration_s: float) -> str:
    faults = sum(entry.end_s is not None for entry in entries)
    lanes = {lane: sum(entry.lane == lane for entry in entries) for lane in LANES}
    return (
        f"{clock_text(duration_s)} long, {faults} faults, {lanes['system']} events of the system, "
        f"{lanes['people']} of people. The table below has all of it as text."
    )


def _cut(text: str, limit: int) -> str:
    line = printable_line(text[:400])
    return line if len(line) <= limit else line[: max(0, limit - 1)].rstrip() + "…"


def _escaped(text: str) -> str:
    return html.escape(text)
