"""comparison.json, comparison.md and comparison.html: several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from reports.report.build import plain
from reports.writers.html.comparison import comparison_html
from reports.writers.markdown.comparison import comparison_markdown

__all__ = ["write_comparison"]


def write_comparison(data: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the three files into `folder`. `data`: from `reports.comparison.side_by_side.compare`. Raises OSError."""
    texts = {
        "comparison.json": msgspec.json.format(msgspec.json.encode(plain(data)), indent=1).decode() + "\n",
        "comparison.md": comparison_markdown(data),
        "comparison.html": comparison_html(data, folder),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
