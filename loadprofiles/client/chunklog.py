"""Writes the chunk log: when the chunks of an answer arrived, and how many tokens each contained.

The log is one delta-encoded bytes attribute (`brownout.chunks`) on the attempt's span, instead of one event per chunk.
The reader is `reports.record.chunklog`; a test checks the round trip. Format:

    byte 0            version, 1
    then, per chunk   varint: time since the previous chunk (the first: since the attempt's start), in steps of 10 us
                      varint: tokens in the chunk
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["STEPS_PER_SECOND", "VERSION", "encode"]

VERSION = 1
STEPS_PER_SECOND = 100_000


def encode(started_s: float, times_s: Sequence[float], tokens: Sequence[int]) -> bytes:
    """The log of chunks that arrived at `times_s` (ascending, same clock as `started_s`) with `tokens` each.

    Raises ValueError for times before the start or out of order, or a negative token count.
    """
    out = bytearray((VERSION,))
    append = out.append
    before = 0
    for at_s, count in zip(times_s, tokens, strict=True):
        steps = round((at_s - started_s) * STEPS_PER_SECOND)
        delta = steps - before
        if delta < 0 or count < 0:
            raise ValueError(f"time steps and token counts must not be negative: {delta} steps, {count} tokens")
        before = steps
        while delta > 0x7F:
            append(delta & 0x7F | 0x80)
            delta >>= 7
        append(delta)
        while count > 0x7F:
            append(count & 0x7F | 0x80)
            count >>= 7
        append(count)
    return bytes(out)
