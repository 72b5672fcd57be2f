"""report.html: the run as one page that works without a network.

It contains Bokeh's script, the style sheet and the data. All text from files is escaped. The pages of fault windows
share one file with Bokeh's script, which is most of a page.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.report.build import Report
from reports.shared.whole_file import write_whole
from reports.writers.html.alternative import chart_text
from reports.writers.html.canvas import draw, fault_spans, spec
from reports.writers.html.charts import CHARTS
from reports.writers.html.view import page_view

__all__ = ["SHARED_SCRIPT", "bokeh_library", "page_text", "printable_value", "write_html", "write_window_html"]

SHARED_SCRIPT: Final = "charts.js"
"""The name of the file that the pages of windows share."""

_CONTROL: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")
_PAGE = Path(__file__).parents[1] / "page"


def write_html(report: Report, folder: Path) -> Path:
    """Write `report.html` into `folder`, atomically. Raises OSError."""
    return write_whole(folder / "report.html", page_text(report.data).encode())


def write_window_html(report: Report, folder: Path) -> Path:
    """Write the page of a fault window into `folder`, and Bokeh's script into the folder above. Raises OSError."""
    try:
        script = bokeh_library()
    except (OSError, ImportError):
        script = ""  # the page has no charts then
    write_whole(folder.parent / SHARED_SCRIPT, script.encode())  # also over one of an older version
    return write_whole(folder / "report.html", page_text(report.data, f"../{SHARED_SCRIPT}").encode())


def page_text(data: Mapping[str, Any], library_link: str = "") -> str:
    """The page of a report. `data`: the content of `report.json`, from memory or read back from the file.

    `library_link`: where Bokeh's script is; "" puts it into the page.
    """
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printable_value,
    )
    template = environment.get_template("report.html.jinja")
    return template.render(
        **page_view(data),
        charts=_charts(data),
        library_link=library_link,
        drawing=Markup((_PAGE / "charts.js").read_text(encoding="utf-8")),
        style=Markup((_PAGE / "report.css").read_text(encoding="utf-8")),
        script=Markup((_PAGE / "report.js").read_text(encoding="utf-8")),
    )


def printable_value(value: Any) -> Any:
    """Text without control characters and marks that change the direction of writing: each becomes U+FFFD."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else _CONTROL.sub("\ufffd", value)


def _charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """The charts, the data for the script of the page, and Bokeh's script. A problem is returned in `problem`."""
    try:
        placed = draw(data, CHARTS)
        shown = spec(data, placed)
        faults = fault_spans(data)
        texts = {one.id: chart_text(one.title, one.chart, faults) for one in placed if one.chart}
        library = bokeh_library() if shown["charts"] else ""
        window = _window(data)
    except Exception:  # the page without charts is still useful
        problem = traceback.format_exc(limit=3)
        return {"problem": problem, "placed": [], "empty": [], "spec": {}, "library": "", "window": None, "texts": {}}
    return {
        "problem": "",
        "placed": placed,
        "empty": [one.title or "phases" for one in placed if one.chart is None and not one.problem],
        "spec": shown,
        "texts": texts,
        "library": Markup(library),
        "window": window,
    }


def bokeh_library() -> str:
    """Bokeh's script, read from its package without importing it. Raises FileNotFoundError."""
    package = find_spec("bokeh")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("bokeh is not installed: the charts need its script")
    folder = Path(package.submodule_search_locations[0]) / "server" / "static" / "js"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in ("bokeh.min.js", "bokeh-api.min.js"))


def _window(data: Mapping[str, Any]) -> list[float] | None:
    """The time range around the faults, seconds: a quarter of their duration (at least 2 s) added on both sides."""
    spans = fault_spans(data)
    if not spans:
        return None
    start, end, last = min(s for s, _ in spans), max(e for _, e in spans), float(data["timeline"]["seconds"])
    margin = max(2.0, 0.25 * (end - start))
    return [max(0.0, start - margin), min(last, end + margin)]
