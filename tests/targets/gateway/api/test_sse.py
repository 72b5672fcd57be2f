"""Server-sent events: unknown fields."""

from __future__ import annotations

import pytest

from targets.gateway.api.sse import has_unknown_field


@pytest.mark.parametrize(
    ("event", "strange"),
    [
        (b"data: {}\n\n", False),
        (b": a comment\n\n", False),
        (b":\n\n", False),
        (b"event: ping\ndata: {}\nid: 7\nretry: 10\n\n", False),
        (b"event\ndata\n\n", False),
        (b"\xef\xbf\xbd{}\n\n", True),
        (b"event: content_block_delta\n{}\n\n", True),
        (b"<html>\n\n", True),
        (b" data: {}\n\n", True),
    ],
)
def test_a_line_without_a_known_field_name_is_recognised(event: bytes, strange: bool) -> None:
    assert has_unknown_field(event) == strange
