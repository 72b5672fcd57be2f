"""history.html: runs over time, with the changes first. One file that loads nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.shared.wording import value_text
from reports.trend.words import (
    doubt_text,
    history_facts,
    p_text,
    percent_text,
    short_time,
    state_text,
    verdicts_text,
)
from reports.writers.html.history_charts import VERDICT_COLOUR, history_charts
from reports.writers.html.page_writer import bokeh_library, printable_value
from reports.writers.html.palette import BAD

__all__ = ["history_html"]

_PAGE: Final = Path(__file__).parents[1] / "page"


def history_html(data: Mapping[str, Any], folder: Path, *, last: int) -> str:
    """The page. `data`: the content of history.json. Its links to runs are relative to `folder`.

    `last`: how many of the newest runs of each series its tables list.
    """
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printable_value,
    )
    series = [_series(number, one, folder, last) for number, one in enumerate(data["series"])]
    try:
        library = bokeh_library()
    except (OSError, ImportError):
        library = ""
    return environment.get_template("history.html.jinja").render(
        facts=history_facts(data),
        state=state_text(data),
        tested=any(one["tested"] for one in data["series"]),
        worse=any(one["direction"] == "worse" and not one["until"] for each in series for one in each["changes"]),
        skipped=data["skipped"],
        level=f"{data['level']:.0%}",
        series=series,
        changes=sorted((one for each in series for one in each["changes"]), key=lambda one: one["at"], reverse=True),
        charts=[chart for each in series for chart in each["charts"]],
        library=Markup(library),
        style=Markup((_PAGE / "report.css").read_text(encoding="utf-8")),
        history_style=Markup((_PAGE / "history.css").read_text(encoding="utf-8")),
        drawing=Markup((_PAGE / "history.js").read_text(encoding="utf-8")),
    )


def _series(number: int, series: Mapping[str, Any], folder: Path, last: int) -> dict[str, Any]:
    runs = [
        {
            "when": short_time(run["started_at"]),
            "verdict": run["verdict"],
            "colour": VERDICT_COLOUR.get(run["verdict"], BAD),
            "doubt": doubt_text(run),
            "doubts": run["doubts"],
            "why": run["why"][0] if run["why"] and run["verdict"] != "pass" else "",
            "seed": run["seed"],
            "folder": run["folder"],
            "href": _link(run["folder"], folder),
        }
        for run in series["runs"]
    ]
    return {
        "id": f"series-{number}",
        "label": series["label"],
        "title": series["title"],
        "machine": series["machine"] or "unknown machine",
        "apart": series["apart"],
        "notes": series["notes"],
        "verdicts": verdicts_text([run["verdict"] for run in runs]),
        "span": f"{runs[0]['when']} to {runs[-1]['when']}" if len(runs) > 1 else runs[0]["when"],
        "runs": runs,
        "newest": list(reversed(runs[-last:])),
        "changes": [_change(number, change, series, folder) for change in reversed(series["changes"])],
        "charts": history_charts(number, series),
    }


def _change(number: int, change: Mapping[str, Any], series: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    return {
        "series": series["label"],
        "chart": f"#chart-{number}-{change['line']}",
        "at": change["started_at"],
        "since": short_time(change["started_at"]),
        "until": short_time(change["until"]) if change["until"] else "",
        "direction": change["direction"],
        "name": change["name"],
        "title": change["title"],
        "before": value_text(change["before"], change["unit"]),
        "after": value_text(change["after"], change["unit"]),
        "size": percent_text(change["before"], change["after"], change["unit"]),
        "runs_before": change["runs_before"],
        "runs_after": change["runs_after"],
        "p": p_text(change["p"]),
        "folder": change["folder"],
        "href": _link(change["folder"], folder),
        "versions": [f"{name} {old} -> {new}" for name, (old, new) in change["versions"].items()],
    }


def _link(run: str, folder: Path) -> str:
    return os.path.relpath(Path(run) / "report.html", folder)
