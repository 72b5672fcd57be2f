"""comparison.json, .md and .html are written together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reports.writers.comparison import write_comparison
from tests.support.paths import ROOT


def test_all_three_are_written_and_the_json_holds_every_measure(compared: dict[str, Any], tmp_path: Path) -> None:
    written = write_comparison(compared, tmp_path)
    assert [path.name for path in written] == ["comparison.json", "comparison.md", "comparison.html"]
    data = json.loads((tmp_path / "comparison.json").read_text())
    assert data["schema"] == 1
    assert {row["name"] for row in data["measures"]} >= {"sessions_lost", "wasted_tokens", "ttft.p99"}


def paths(value: Any, path: str) -> Iterator[str]:
    """The path of each value; the keys of `phases` are names of the run."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, f"{path}.{'*' if path.endswith('phases') else key}")
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            if item is not None:
                yield from paths(item, f"{path}[]")
    else:
        yield path


def test_each_field_of_the_comparison_is_documented(compared: dict[str, Any], tmp_path: Path) -> None:
    write_comparison(compared, tmp_path)
    found = set(paths(json.loads((tmp_path / "comparison.json").read_text()), "comparison"))
    text = (ROOT / "docs" / "report-schema.md").read_text()
    documented = set(re.findall(r"^\| `(comparison\.[^`]+)`", text, re.MULTILINE))
    assert sorted(found - documented) == []
    of_judged_pairs = {"comparison.differences[].rows[].beyond_sessions"}
    lists = {"comparison.gates[].cells", "comparison.differences"}
    assert sorted(documented - found - of_judged_pairs - lists) == []
