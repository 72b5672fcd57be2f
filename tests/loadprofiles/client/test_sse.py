from __future__ import annotations

from loadprofiles.client.sse import parse_block, split_blocks


def test_blocks_are_split_at_any_line_ends_and_the_rest_is_returned() -> None:
    blocks, rest = split_blocks(b"data: a\r\n\r\nevent: x\rdata: b\rdata: c\r\rdata: d\n\r")
    assert [parse_block(block) for block in blocks] == [("message", b"a"), ("x", b"b\nc"), ("message", b"d")]
    assert rest == b""


def test_a_block_of_comments_has_no_data_and_an_unfinished_block_is_not_returned() -> None:
    assert parse_block(b": keep-alive") == ("message", None)
    assert split_blocks(b"data: a\n") == ([], b"data: a\n")


def test_an_event_is_complete_at_the_cr_of_its_blank_line() -> None:
    assert split_blocks(b"data: x\r\r") == ([b"data: x"], b"")
    assert split_blocks(b"data: x\r\n\r") == ([b"data: x"], b"")
    assert split_blocks(b"data: x\r") == ([], b"data: x\r")
    assert parse_block(b"\ndata: y") == ("message", b"y")
