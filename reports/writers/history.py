"""history.json, history.md and history.html: runs over time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from reports.shared.whole_file import write_whole
from reports.writers.html.history import history_html
from reports.writers.markdown.history import history_markdown

__all__ = ["write_history"]


def write_history(data: Mapping[str, Any], folder: Path, *, last: int) -> list[Path]:
    """Write the three files into `folder`. `data`: from `reports.trend.history.history`. Raises OSError.

    `last`: how many of the newest runs of each series the tables show.
    """
    texts = {
        "history.json": msgspec.json.format(msgspec.json.encode(data), indent=1).decode() + "\n",
        "history.md": history_markdown(data, last=last),
        "history.html": history_html(data, folder, last=last),
    }
    return [write_whole(folder / name, text.encode("utf-8", "replace")) for name, text in texts.items()]
