"""A waterfall as lines of text: label, duration, and a bar on an axis that all lines share. Pure.

Everything that a colour shows is also shown by a character, so that nothing is lost without colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from reports.shared.wording import value_text
from reports.waterfall.rows import Row
from reports.waterfall.story import Waterfall

__all__ = ["Glyphs", "draw"]

_STYLES: Final = {
    "call": "bold",
    "client": "bright_black",
    "gateway": "cyan",
    "attempt": "blue",
    "replica": "magenta",
    "queue": "yellow",
    "prefill": "green",
    "decode": "bright_green",
    "span": "",
}
_DETAILS_FROM: Final = 120
"""From this width on, in cells, the outcome of a span is shown right of its bar."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of the bars."""

    bar: str = "━"
    thin: str = "─"
    shade: str = "·"
    fault: str = "░"
    waited: str = "▒"
    failed: str = "✗"
    decision: str = "◆"
    left: str = "◂"
    right: str = "▸"
    tick: str = "┼"
    axis: str = "─"
    cut: str = "…"

    @classmethod
    def for_encoding(cls, encoding: str) -> Glyphs:
        """ASCII characters where `encoding` has no others."""
        try:
            "━─·░▒✗◆◂▸┼…".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls("=", "-", ".", "#", "~", "X", "*", "<", ">", "+", "-", "~")
        return cls()


def draw(waterfall: Waterfall, width: int, glyphs: Glyphs) -> list[Text]:
    """The lines, each at most `width` cells wide (60 at least)."""
    room = max(60, width)
    detail_width = min(56, room // 3) if room >= _DETAILS_FROM else 0
    longest = max((cell_len(_indent(row) + row.label) for row in waterfall.rows), default=20)
    label_width = max(16, min(longest, (room - detail_width) * 2 // 5))
    bar_width = room - label_width - 10 - (detail_width + 2 if detail_width else 0)
    canvas = _Canvas(waterfall, bar_width, glyphs)
    lines = [_line("", label_width, "", canvas.axis()), _line("seconds", label_width, "", canvas.ticks(), style="dim")]
    for fault in waterfall.faults:
        bar = canvas.span(fault.start_s, fault.end_s, glyphs.fault, "yellow", shaded=False)
        length = "" if math.isinf(fault.end_s) else value_text(fault.end_s - fault.start_s, "s")
        lines.append(_line(f"fault {fault.id}: {fault.kind}", label_width, length, bar, style="bold yellow"))
    for row in waterfall.rows:
        line = _row_line(row, label_width, canvas, glyphs)
        if detail_width and row.detail and row.kind != "missing":
            line.append("  ").append(_fit(row.detail, detail_width, glyphs.cut), style="dim")
        lines.append(line)
    if waterfall.failover_s is not None:
        bar = canvas.span(waterfall.interrupted_s, waterfall.resumed_s, glyphs.waited, "bold red", shaded=False)
        lines.append(
            _line("the client waited", label_width, value_text(waterfall.failover_s, "s"), bar, style="bold red")
        )
    if waterfall.window.zoomed:
        lines.append(Text("(zoomed: the call is longer than the axis)", style="dim"))
    return lines


def _indent(row: Row) -> str:
    return "  " * row.depth


def _row_line(row: Row, label_width: int, canvas: _Canvas, glyphs: Glyphs) -> Text:
    label = _fit(_indent(row) + row.label, label_width, glyphs.cut)
    if row.kind == "decision":
        return _line(label, label_width, "", canvas.mark(row.start_s, glyphs.decision, "bold cyan"), style="cyan")
    if row.kind == "missing":
        reason = Text(_fit(row.detail, canvas.width, glyphs.cut), style="red")
        return _line(label, label_width, "", reason, style="red")
    style = _STYLES.get(row.kind, "")
    glyph = glyphs.thin if row.kind in ("client", "gateway") else glyphs.bar
    bar = canvas.span(row.start_s, row.end_s, glyph, style, shaded=True, failed=row.failed)
    return _line(label, label_width, value_text(row.duration_s, "s"), bar, style="red" if row.failed else "")


def _line(label: str, label_width: int, length: str, bar: Text, *, style: str = "") -> Text:
    line = Text(set_cell_size(label, label_width), style=style, end="")
    return Text.assemble(line, (f"{length:>9} ", "dim"), bar)


def _fit(text: str, width: int, cut: str) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + cut


class _Canvas:
    """Draws the bar of each line; one axis for all lines."""

    def __init__(self, waterfall: Waterfall, width: int, glyphs: Glyphs) -> None:
        self.width = width
        self._window, self._glyphs = waterfall.window, glyphs
        self._shaded = [
            any(fault.start_s < self._at(n + 1) and fault.end_s > self._at(n) for fault in waterfall.faults)
            for n in range(width)
        ]

    def _at(self, cell: int) -> float:
        return self._window.start_s + (self._window.end_s - self._window.start_s) * cell / self.width

    def _cell(self, at_s: float) -> int:
        return min(self.width - 1, int(self._window.share(at_s) * self.width))

    def axis(self) -> Text:
        """The times at both ends, and in the middle if there is room."""
        start, end = self._window.start_s, self._window.end_s
        left, right, middle = (f"{at:.2f}" for at in (start, end, (start + end) / 2))
        cells = [" "] * self.width
        half = self.width // 2
        cells[: len(left)] = left
        cells[self.width - len(right) :] = right
        if half - len(left) - len(middle) > 2:
            begin = half - len(middle) // 2
            cells[begin : begin + len(middle)] = middle
        return Text("".join(cells), style="dim")

    def ticks(self) -> Text:
        """The axis with its three ticks."""
        at = {0, self.width // 2, self.width - 1}
        return Text("".join(self._glyphs.tick if n in at else self._glyphs.axis for n in range(self.width)), "dim")

    def mark(self, at_s: float, glyph: str, style: str) -> Text:
        """A mark at one point in time; none outside the range."""
        text = self._ground()
        if self._window.start_s <= at_s <= self._window.end_s:
            return self._put(text, self._cell(at_s), self._cell(at_s) + 1, glyph, style)
        return text

    def span(self, start_s: float, end_s: float, glyph: str, style: str, *, shaded: bool, failed: bool = False) -> Text:
        """A bar from start to end; arrows where it continues outside the range."""
        window, glyphs = self._window, self._glyphs
        ground = self._ground() if shaded else Text(" " * self.width)
        if end_s < window.start_s:
            return self._put(ground, 0, 1, glyphs.left, style)
        if start_s > window.end_s:
            return self._put(ground, self.width - 1, self.width, glyphs.right, style)
        first = self._cell(start_s)
        last = self.width - 1 if math.isinf(end_s) else max(first, self._cell(end_s))
        text = self._put(ground, first, last + 1, glyph * (last + 1 - first), style)
        if start_s < window.start_s - 1e-6:
            text = self._put(text, 0, 1, glyphs.left, style)
        if end_s > window.end_s + 1e-6:
            text = self._put(text, self.width - 1, self.width, glyphs.right, style)
        elif failed:
            text = self._put(text, last, last + 1, glyphs.failed, "bold red")
        return text

    def _ground(self) -> Text:
        return Text("".join(self._glyphs.shade if shaded else " " for shaded in self._shaded), style="dim")

    @staticmethod
    def _put(text: Text, first: int, end: int, inserted: str, style: str) -> Text:
        return Text.assemble(text[:first], (inserted, style), text[end:])
