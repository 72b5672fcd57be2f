from __future__ import annotations

import pytest

from loadprofiles.client.lenient_json import NotJsonError, as_count, as_list, as_object, as_text, decode_json


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 3),
        (12.0, 12),
        (0, 0),
        (None, None),
        (True, None),
        ("3", 3),
        ("three", None),
        (-1, None),
        (10**40, None),
        (float("nan"), None),
    ],
)
def test_a_count_may_have_a_fraction_or_be_text_and_must_be_usable(value: object, count: int | None) -> None:
    assert as_count(value) == count


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), [], {}])
def test_what_is_no_count_is_absent(value: object) -> None:
    assert as_count(value) is None


def test_text_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "ab"}, "c", {"type": "image"}, None, {"text": [{"text": "d"}]}]
    assert as_text(parts) == "abcd"
    assert [as_text(value) for value in ("x", None, 7, {"text": "x"})] == ["x", "", "", ""]


def test_other_types_are_empty() -> None:
    assert (as_object([1]), as_object(None), as_list({}), as_list("ab")) == ({}, {}, [], [])


def test_json_that_python_accepts_is_decoded() -> None:
    assert decode_json(b'{"a": NaN}') != {}
    assert decode_json(b'"\\ud83d"') == "\ud83d"
    for bad in (b"", b"{", b"\xff", b"[" * 100_000, b": ping"):
        with pytest.raises(NotJsonError):
            decode_json(bad)
