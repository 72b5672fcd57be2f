"""postmortem.html: one file that loads nothing, without scripts and without style attributes.

Its own policy, in a `meta` element, allows its style sheet by its digest and nothing else. A server that sends a policy
too must allow the same: `content_policy`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.writers.html.page_writer import printable_value
from reports.writers.html.waterfall import waterfall_views
from reports.writers.postmortem.axis import KEYS, axis_svg, key_svg
from reports.writers.postmortem.view import MOST_ROWS, postmortem_view

__all__ = ["content_policy", "postmortem_page"]

_PAGE: Final = Path(__file__).parents[1] / "page"
_SHEETS: Final = ("report.css", "text.css", "postmortem.css")


def postmortem_page(data: Mapping[str, Any]) -> str:
    """The page. `data`: the content of report.json, with an exercise."""
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printable_value,
    )
    view = postmortem_view(data)
    calls = [*data["failovers"], *data["exercise"]["worst_calls"]]
    kinds = {entry.kind for entry in view["entries"]}
    return environment.get_template("postmortem.html.jinja").render(
        **view,
        most_rows=MOST_ROWS,
        axis=Markup(axis_svg(view["entries"], data["exercise"]["duration_s"])),
        keys=[(Markup(key_svg(kind)), text) for kind, (_, text) in KEYS.items() if kind in kinds],
        calls=waterfall_views({"failovers": calls, "faults": data["faults"]}),
        began_s=float(data["exercise"]["began_s"]),
        style=Markup(_style()),
        policy=content_policy(),
    )


def content_policy() -> str:
    """The value of `Content-Security-Policy` that the page needs: its style sheet by digest, nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return "".join((_PAGE / name).read_text(encoding="utf-8") for name in _SHEETS)
