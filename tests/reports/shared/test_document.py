"""Lines of values in a YAML document."""

from __future__ import annotations

from reports.shared.documents import parse_document
from reports.shared.errors import Problem


def test_each_key_and_list_item_has_its_line() -> None:
    document = parse_document("a: 1\nb:\n  - {x: 1}\n  - y: 2\n    z: 3\n", "x.yaml")
    assert document.data == {"a": 1, "b": [{"x": 1}, {"y": 2, "z": 3}]}
    assert [document.line(path) for path in [("a",), ("b",), ("b", 0), ("b", 0, "x"), ("b", 1, "z")]] == [1, 2, 3, 3, 5]


def test_a_missing_key_has_the_line_of_its_nearest_parent() -> None:
    document = parse_document("a: 1\nb:\n  c: 1\n", "x.yaml")
    assert document.line(("b", "missing", 3)) == 2
    assert document.line(("missing",)) == 1
    assert document.problem(("b", "c"), "is odd", "mend it") == Problem("x.yaml", 3, "is odd", "mend it")
