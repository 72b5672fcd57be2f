"""What a target said is found in any shape, on one line, without keys and control characters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.client.error_text import MAX_TEXT_CHARS, body_text, excerpt, one_line


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "slow down", "type": "requests"}}, "slow down (requests)"),
        ({"error": {"message": "Overloaded", "type": "overloaded_error"}}, "Overloaded (overloaded_error)"),
        ({"error": {"message": "no", "type": "invalid_request_error", "code": None}}, "no"),
        ({"error": {"message": "no such model", "code": 404}}, "no such model"),
        ({"error": "no capacity"}, "no capacity"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body", "user"], "msg": "not permitted", "type": "extra"}]}, "body.user: not permitted"),
        ({"message": "limit reached"}, "limit reached"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"object": "error", "message": "no room", "code": 40303}, "no room"),
        ({"error": {"code": "quota"}}, "quota"),
        ({}, ""),
        ([], ""),
        (None, ""),
        ("plain", "plain"),
        (17, "17"),
    ],
)
def test_the_message_of_an_error_object_is_found(body: object, text: str) -> None:
    assert body_text(json.dumps(body).encode()) == text


def test_an_html_page_becomes_its_title_and_text() -> None:
    page = b"<html><head><title>502 Bad Gateway</title><style>p{}</style></head><body><h1>nginx</h1></body></html>"
    assert body_text(page) == "502 Bad Gateway: nginx"


def test_binary_data_is_named_and_not_shown() -> None:
    assert body_text(bytes(range(256))) == "256 bytes of binary data"


def test_a_message_is_one_line_of_at_most_200_characters() -> None:
    text = body_text(b'{"error":"a\\n\\tb\\u001b[31m\\u202e' + b"x" * 500 + b'"}')
    assert text.startswith("a b [31m x")
    assert len(text) == MAX_TEXT_CHARS


@given(st.binary(max_size=400))
def test_any_body_gives_a_printable_line(body: bytes) -> None:
    for line in (body_text(body), excerpt(body), one_line(body.decode("utf-8", "replace"))):
        assert len(line) <= MAX_TEXT_CHARS
        assert "\n" not in line
        assert "\x1b" not in line
