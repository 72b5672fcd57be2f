"""Decodes the chunk log: when each chunk of an answer arrived, and its number of tokens.

The log is the bytes attribute `brownout.chunks` of the client's attempt span. `loadprofiles.client.chunklog` writes it:

    byte 0        version, 1
    per chunk     varint: time since the previous chunk (the first: since the attempt's span started), in steps of 10 us
                  varint: number of tokens in the chunk

A varint is unsigned LEB128: 7 bits per byte, least significant first, the top bit set on all but the last byte. Times
since the attempt's start are rounded to whole steps before the differences are taken, so that rounding errors do not
add up. The log has every chunk that brought a piece of the answer. A piece that is no token, such as the beginning of a
tool call, has 0 tokens.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from reports.shared.errors import RecordError

__all__ = ["STEPS_PER_SECOND", "VERSION", "Chunk", "decode"]

VERSION: Final = 1
STEPS_PER_SECOND: Final = 100_000


class Chunk(NamedTuple):
    """One chunk. `at_s`: seconds since the attempt's span started."""

    at_s: float
    tokens: int


def decode(log: bytes) -> list[Chunk]:
    """The chunks of one attempt, in order of arrival; none for an empty log.

    Raises `RecordError` where the bytes are not a chunk log of this version.
    """
    if not log:
        return []
    if log[0] != VERSION:
        raise RecordError(f"the chunk log has version {log[0]}; this program reads version {VERSION}")
    numbers: list[int] = []
    value = shift = 0
    for byte in memoryview(log)[1:]:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            numbers.append(value)
            value = shift = 0
    if shift or len(numbers) % 2:
        raise RecordError(f"the chunk log of {len(log)} bytes ends in the middle of a chunk")
    chunks: list[Chunk] = []
    steps = 0
    for delta, tokens in zip(numbers[::2], numbers[1::2], strict=True):
        steps += delta
        chunks.append(Chunk(steps / STEPS_PER_SECOND, tokens))
    return chunks
