"""Decoding chunk logs: the format byte by byte, and its errors."""

from __future__ import annotations

import pytest

from reports.record.chunklog import Chunk, decode
from reports.shared.errors import RecordError


def test_a_chunk_log_has_times_as_differences_in_steps_of_10_microseconds() -> None:
    # version 1; 50,000 steps (0.5 s) and 1 token; 2,000 steps (0.02 s) and 3 tokens
    log = bytes([1, 0xD0, 0x86, 0x03, 1, 0xD0, 0x0F, 3])
    assert decode(log) == [Chunk(0.5, 1), Chunk(0.52, 3)]


def test_an_empty_log_has_no_chunks() -> None:
    assert decode(b"") == []
    assert decode(b"\x01") == []


def test_a_log_of_another_version_is_an_error_that_names_both() -> None:
    with pytest.raises(RecordError, match=r"has version 9; this program reads version 1"):
        decode(b"\x09\x01")


@pytest.mark.parametrize("log", [b"\x01\x80", b"\x01\x05", b"\x01\x05\x01\x05"])
def test_a_log_that_ends_within_a_chunk_is_an_error(log: bytes) -> None:
    with pytest.raises(RecordError, match="ends in the middle of a chunk"):
        decode(log)
