"""Reads the chunk log: when the chunks of an answer arrived, and how many tokens each carried.

The log is the bytes attribute `brownout.chunks` of the client's attempt span. `loadprofiles.client.chunklog` writes it:

    byte 0        version, 1
    then a chunk  varint: time since the previous chunk (the first: since the attempt's span started), in steps of 10 us
                  varint: tokens the chunk carried

A varint is unsigned LEB128: 7 bits a byte, least significant first, the top bit set on all but the last byte. Times are
rounded to whole steps from the attempt's start before the differences are taken, so that rounding does not add up.
Only chunks that carry tokens are in it; a chunk that ends in the middle of a token counts it, so no entry has 0 tokens.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from reports.shared.errors import RecordError

__all__ = ["STEPS_PER_SECOND", "VERSION", "Chunk", "decode"]

VERSION: Final = 1
STEPS_PER_SECOND: Final = 100_000


class Chunk(NamedTuple):
    """One chunk that carried tokens. `at_s`: seconds since the attempt's span started."""

    at_s: float
    tokens: int


def decode(log: bytes) -> list[Chunk]:
    """The chunks of one attempt, in order of arrival.

    Raises `RecordError` where the bytes are not a chunk log of this version. An empty log has no chunks.
    """
    if not log:
        return []
    if log[0] != VERSION:
        raise RecordError(f"chunk log of version {log[0]}; this program reads version {VERSION}")
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
        raise RecordError(f"chunk log of {len(log)} bytes ends in the middle of a chunk")
    chunks: list[Chunk] = []
    steps = 0
    for delta, tokens in zip(numbers[::2], numbers[1::2], strict=True):
        steps += delta
        chunks.append(Chunk(steps / STEPS_PER_SECOND, tokens))
    return chunks
