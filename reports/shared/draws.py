"""Seeded draws: a number that depends on a key alone, the same in every process and every run.

A draw has no state, so it does not depend on timing or on the order of events. The key contains the seed and the
purpose: `7/f1/target/tpu-0`. The hash is BLAKE2b with 8 bytes (RFC 7693).
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["bits", "uniform"]


def bits(key: str) -> int:
    """64 pseudo-random bits for a key, as an integer. A key with lone surrogates is accepted."""
    return int.from_bytes(blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


def uniform(key: str) -> float:
    """A pseudo-random number in [0, 1) for a key."""
    return bits(key) / 2**64
