"""report.html: the run as one page that needs nothing else, not even a network.

Bokeh's script, the style and the data are inside of it. Everything that comes from files is escaped.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.report import Report
from reports.writers.html_view import page_view

__all__ = ["page_text", "write_html"]

_PAGE = Path(__file__).parent / "page"


def write_html(report: Report, folder: Path) -> Path:
    """Write `report.html` into `folder`, atomically. Raises OSError."""
    path, partial = folder / "report.html", folder / ".report.html.part"
    partial.write_text(page_text(report.data), encoding="utf-8")
    partial.replace(path)
    return path


def page_text(data: Mapping[str, Any]) -> str:
    """The page of a report: `data` as in `report.json`, infinite numbers being numbers."""
    environment = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.get_template("report.html.jinja")
    return template.render(
        **page_view(data),
        charts=_charts(data),
        style=Markup((_PAGE / "report.css").read_text(encoding="utf-8")),
        script=Markup((_PAGE / "report.js").read_text(encoding="utf-8")),
    )


def _charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """The charts with their places on the page, and the scripts that draw them."""
    try:
        from bokeh.embed import components
        from bokeh.resources import Resources

        from reports.writers.html_canvas import draw
        from reports.writers.html_charts import CHARTS

        drawn = draw(data, CHARTS)
        figures = {chart.id: chart.drawn.figure for chart in drawn if chart.drawn is not None}
        script, places = components(figures, wrap_script=False) if figures else ("", {})
    except Exception:  # the rest of the page says most of it
        return {
            "problem": traceback.format_exc(limit=3),
            "drawn": [],
            "empty": [],
            "script": "",
            "library": "",
            "window": None,
        }
    return {
        "problem": "",
        "drawn": [
            {
                "id": chart.id,
                "title": chart.title,
                "problem": chart.problem,
                "place": Markup(places.get(chart.id, "")),
                "legend": chart.drawn.legend if chart.drawn else (),
                "note": chart.drawn.note if chart.drawn else "",
            }
            for chart in drawn
        ],
        "empty": [chart.title or "phases" for chart in drawn if chart.drawn is None and not chart.problem],
        "script": Markup(script),
        "library": Markup("\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)) if figures else "",
        "window": _window(data),
    }


def _window(data: Mapping[str, Any]) -> list[float] | None:
    """From a little before the first fault to a little after the last."""
    from reports.writers.html_canvas import fault_spans

    spans = fault_spans(data)
    if not spans:
        return None
    start, end, last = min(s for s, _ in spans), max(e for _, e in spans), float(data["timeline"]["seconds"])
    margin = max(2.0, 0.25 * (end - start))
    return [max(0.0, start - margin), min(last, end + margin)]
