"""Lines of a record that are no valid events or counters are skipped and named; the others are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.record.lines import EVENTS, LONGEST_RUN_NS, POST, Damage, read_lines

PHASE = {"at": 10, "type": "phase", "phase": "baseline"}


def read(path: Path, types: Any = EVENTS) -> tuple[list[dict[str, Any]], list[Damage]]:
    damage: list[Damage] = []
    return list(read_lines(path, types, damage)), damage


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "events.jsonl"
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


def test_valid_lines_of_all_types_are_read(tmp_path: Path) -> None:
    lines = [PHASE, {"at": 11, "type": "machine", "anything": [1]}, {"at": 12, "type": "run", "event": "finished"}]
    assert read(written(tmp_path, *lines)) == (lines, [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "truncated"),
        (b"\xff\xfe", "JSON is malformed"),
        (b"[1]", "it is no JSON object"),
        (b"null", "it is no JSON object"),
        ({"type": "phase", "phase": "fault"}, "missing required field `at`"),
        ({"at": "now", "type": "phase", "phase": "fault"}, "Expected `int`, got `str` - at `$.at`"),
        ({"at": 1e300, "type": "phase", "phase": "fault"}, "Expected `int`"),
        ({"at": 11, "type": "phase", "phase": None}, "Expected `str`, got `null` - at `$.phase`"),
        ({"at": 11, "type": "phase", "phase": "fau1t"}, "Invalid enum value 'fau1t' - at `$.phase`"),
        ({"at": 11, "type": "run", "event": "fai1ed"}, "Invalid enum value 'fai1ed' - at `$.event`"),
        ({"at": 11, "type": "fault", "id": "f1", "stage": "lapset"}, "Invalid enum value 'lapset' - at `$.stage`"),
        ({"at": 11, "type": "fau1t", "id": "f1", "stage": "lapsed"}, "its type 'fau1t' is not known"),
        ({"at": 11, "type": "fault", "id": "f1", "stage": "injected", "targets": 5}, "at `$.targets`"),
        ({"at": 11, "type": "spans", "instances": {"a": 1}}, "at `$.instances[...]`"),
        ({"at": 11 + LONGEST_RUN_NS, "type": "phase", "phase": "end"}, "its time is 7 days from that of the others"),
        (b"[" * 100_000, ""),
    ],
)
def test_a_line_that_is_no_event_is_skipped_and_named(tmp_path: Path, line: Any, why: str) -> None:
    rows, damage = read(written(tmp_path, PHASE, line, PHASE))
    assert rows == [PHASE, PHASE]
    assert str(damage[0]).startswith("line 2 of events.jsonl cannot be read (")
    assert why in str(damage[0])
    assert not damage[0].expected


def test_several_bad_lines_are_counted_with_the_first_one(tmp_path: Path) -> None:
    _, damage = read(written(tmp_path, PHASE, b"x", PHASE, b"[]", b"7"))
    assert str(damage[0]).endswith(", and 2 other lines: skipped")


def test_an_incomplete_last_line_is_what_a_crash_leaves(tmp_path: Path) -> None:
    path = written(tmp_path, PHASE)
    path.write_bytes(path.read_bytes() + b'{"at":12,"ty')
    assert read(path) == (
        [PHASE],
        [Damage("the last line of events.jsonl is incomplete, and was skipped", expected=True)],
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"incarnation": "one"},
        {"spans": {"started": "x"}},
        {"cpu_s": []},
        {"data": {"kv_used": "much", "kv_total": 5}},
        {"data": {"replicas": {"tpu-0": 4}}},
        {"data": 3},
    ],
)
def test_a_post_with_a_field_of_another_type_is_skipped(tmp_path: Path, wrong: dict[str, Any]) -> None:
    post = {"at": 10, "process": "tpu-0", "incarnation": 1, "kind": "replica", "data": {"running": 3, "own": "x"}}
    rows, damage = read(written(tmp_path, post, {**post, **wrong}), POST)
    assert rows == [post]
    assert str(damage[0]).startswith("line 2 of events.jsonl cannot be read (")


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    assert read(tmp_path / "gauges.jsonl")[1] == [Damage("gauges.jsonl is missing", expected=False)]
    assert read(tmp_path)[1] == [Damage(f"{tmp_path.name} cannot be read: not a regular file", expected=False)]
