from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.replay.json_lines import line_of_byte, line_of_path

TEXT = b"""{
  "a": {"b": [1,
    {"c": "x] , }"},
    3]},

  "requests": [
    {"out": 1},
    {"in": [],
     "out": "x"}
  ]
}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$", 1),
        ("$.a", 2),
        ("$.a.b[1].c", 3),
        ("$.a.b[2]", 4),
        ("$.requests[1]", 8),
        ("$.requests[1].out", 9),
        ("$.requests[1].missing", 8),
        ("$.requests[7]", 6),
        ("$.a.b.c", 2),
    ],
)
def test_the_line_of_a_path_or_of_its_nearest_parent_is_found(path: str, line: int) -> None:
    assert line_of_path(TEXT, path) == line


def test_lines_are_found_in_truncated_text() -> None:
    assert line_of_path(TEXT[:60], "$.a.b[2]") in range(1, 5)
    assert line_of_byte(TEXT, len(TEXT)) == TEXT.count(b"\n") + 1


@given(st.lists(st.recursive(st.integers() | st.text(max_size=4), st.lists, max_leaves=8), min_size=1, max_size=8))
def test_each_item_is_found_after_any_other_items(items: list[object]) -> None:
    parts = [json.dumps(item) for item in items]
    raw = ("[" + ",\n".join(parts) + "]").encode()
    assert [line_of_path(raw, f"$[{i}]") for i in range(len(items))] == [i + 1 for i in range(len(items))]
