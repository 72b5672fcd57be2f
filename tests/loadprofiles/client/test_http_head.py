"""Heads are put right, and nothing else is changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.client.http_head import MAX_HEAD_BYTES, HeadReader

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "right"),
    [
        (GOOD, GOOD),
        (GOOD.replace(b"\r\n", b"\n"), GOOD),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", GOOD),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\n", GOOD),
        (b"HTTP/1.1 200 OK\r\nX-A: a\r\n\tb\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: a b\r\n\r\n"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        ),
    ],
)
def test_a_head_is_put_right_and_the_body_is_not_touched(head: bytes, right: bytes) -> None:
    assert HeadReader().feed(head + b"a\n\nb\n c") == right + b"a\n\nb\n c"


def test_each_interim_response_has_a_head_of_its_own() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert HeadReader().feed(interim + GOOD.replace(b"\r\n", b"\n") + b"hi") == interim + GOOD + b"hi"


def test_what_is_no_head_is_passed_on() -> None:
    assert HeadReader().feed(b"SSH-2.0\n") == b"SSH-2.0\n"
    reader = HeadReader()
    assert reader.feed(b"HTTP/1.1 200") == b""
    assert reader.feed(b"") == b"HTTP/1.1 200"
    endless = b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES
    assert HeadReader().feed(endless) == endless


@given(cuts=st.lists(st.integers(1, 40), max_size=12))
def test_any_cuts_give_the_same_bytes(cuts: list[int]) -> None:
    message = b"HTTP/1.1 200 OK\nX-A: a\n b\nContent-Length: 4\n\n\r\n\r\n"
    reader, at, passed = HeadReader(), 0, b""
    for cut in [*cuts, len(message)]:
        piece = message[at : at + cut]
        passed += reader.feed(piece) if piece else b""
        at += cut
    assert passed == HeadReader().feed(message)
