"""comparison.json, .md and .html are written together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.writers.comparison import write_comparison


def test_all_three_are_written_and_the_json_holds_every_measure(compared: dict[str, Any], tmp_path: Path) -> None:
    written = write_comparison(compared, tmp_path)
    assert [path.name for path in written] == ["comparison.json", "comparison.md", "comparison.html"]
    data = json.loads((tmp_path / "comparison.json").read_text())
    assert data["schema"] == 1
    assert {row["name"] for row in data["measures"]} >= {"sessions_lost", "wasted_tokens", "ttft.p99"}
