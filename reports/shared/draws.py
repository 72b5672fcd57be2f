"""Seeded draws: a number that is a function of a key alone, the same in every process and every run.

A draw has no state, so it does not depend on timing or on the order of events. Write the seed and the purpose into the
key: `7/f1/target/tpu-0`. The hash is BLAKE2b with 8 bytes (RFC 7693).
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["bits", "uniform"]


def bits(key: str) -> int:
    """64 random bits of a key. Text with lone surrogates is accepted."""
    return int.from_bytes(blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


def uniform(key: str) -> float:
    """A number in [0, 1) of a key."""
    return bits(key) / 2**64
