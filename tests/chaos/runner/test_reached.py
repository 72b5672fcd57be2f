"""The first call of a run is known at a replica by its marker, else by its time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.runner.reached import call_at_a_replica


def reached(folder: Path, *lines: dict[str, Any]) -> bool:
    text = "".join(json.dumps({"span": f"{number:016x}", **line}) + "\n" for number, line in enumerate(lines))
    (folder / "tpu-0.jsonl").write_text(text)
    return call_at_a_replica(folder, "s7-probe", 100, 200) is not None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"at": 150, "session": "s7-probe", "agent": "main", "turn": 0}, True),
        ({"at": 150, "session": "s8-probe", "agent": "main", "turn": 0}, False),
        ({"at": 50, "session": "s7-probe", "agent": "main", "turn": 0}, False),
        ({"at": 150}, True),
        ({"at": 250}, False),
    ],
    ids=["its marker", "another client", "of an earlier run", "no marker", "a health check at another time"],
)
def test_a_request_is_the_call_by_its_marker_else_by_its_time(
    tmp_path: Path, line: dict[str, Any], found: bool
) -> None:
    assert reached(tmp_path, line) == found


def test_requests_of_other_clients_do_not_hide_the_call(tmp_path: Path) -> None:
    assert reached(tmp_path, {"at": 120, "session": "x", "agent": "main", "turn": 0}, {"at": 150})


def test_its_marker_comes_before_a_request_without_one(tmp_path: Path) -> None:
    lines = [{"at": 120, "span": "1" * 16}, {"at": 150, "session": "s7-probe", "model": "m2", "span": "2" * 16}]
    (tmp_path / "tpu-0.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = call_at_a_replica(tmp_path, "s7-probe", 100, 200)
    assert found is not None
    assert found.model == "m2"


def test_without_lines_no_replica_was_reached(tmp_path: Path) -> None:
    assert call_at_a_replica(tmp_path / "missing", "s7-probe", 100, 200) is None
