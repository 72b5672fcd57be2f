"""Keyed random draws: a draw depends only on its key, not on the draws made before it.

The key is (seed, session, agent, turn, purpose). A draw costs one BLAKE2b hash and needs no state. So the same seed
gives the same sessions, independent of timing, of how agents interleave, and of which worker plays them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b, shake_128
from random import Random
from statistics import NormalDist
from typing import Literal

from reports.shared.tokens import TOKEN_CHARS

__all__ = ["Distribution", "Draws", "Key", "constant", "filler", "lognormal", "lognormal_p90", "uniform"]

Key = str | int

_NORMAL = NormalDist()
_Z90 = _NORMAL.inv_cdf(0.9)

# Words of three letters plus a space: 4 characters per token here, and about one token per word in real tokenizers.
_VOCABULARY = """
the and for are but not you all any can had her was one our out day get has him his how man new now old see two way who
boy did its let put say she too use dad ask big box car cut dry eat end far few fly got hot job key law map net oil pay
red run set sun
"""
_WORDS = _VOCABULARY.split()
# Translation tables from a byte to the first, second and third letter of its word.
_LETTERS = [bytes(ord(_WORDS[byte % len(_WORDS)][at]) for byte in range(256)) for at in range(3)]


class Draws:
    """A tree of draws. The draws of `Draws(seed).of("session", 3)` are independent of those of any other key."""

    __slots__ = ("_hash",)

    def __init__(self, *key: Key) -> None:
        self._hash = blake2b(_path(key), digest_size=8)

    def of(self, *key: Key) -> Draws:
        """The subtree of `key`."""
        child = Draws.__new__(Draws)
        child._hash = self._hash.copy()
        child._hash.update(_path(key))
        return child

    def bits(self, *key: Key) -> int:
        """64 random bits."""
        leaf = self._hash.copy()
        leaf.update(_path(key))
        return int.from_bytes(leaf.digest(), "big")

    def uniform(self, *key: Key) -> float:
        """A number strictly between 0 and 1."""
        return ((self.bits(*key) >> 12) + 0.5) / (1 << 52)

    def random(self, *key: Key) -> Random:
        """A random generator seeded by the key, for draws that need more than one number."""
        return Random(self.bits(*key))


def _path(key: tuple[Key, ...]) -> bytes:
    return repr(key).encode()  # injective, also when concatenated: different paths give different hash inputs


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution of one quantity. The field that holds it defines the unit.

    `constant`: always `low`. `uniform`: between `low` and `high`. `lognormal`: by `median` and `sigma` (of the
    logarithm); values outside `low`..`high` are clipped to the bound.
    """

    kind: Literal["constant", "uniform", "lognormal"]
    low: float
    high: float
    median: float = 0.0
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"the lower bound {self.low:g} is above the upper bound {self.high:g}")
        if self.kind == "lognormal" and not (self.median > 0 and self.sigma >= 0):
            raise ValueError("a lognormal needs a median above 0 and a sigma of 0 or more")

    def at(self, u: float) -> float:
        """The quantile at probability `u`, with 0 < `u` < 1."""
        if self.kind == "constant":
            return self.low
        if self.kind == "uniform":
            return self.low + u * (self.high - self.low)
        return min(max(self.median * math.exp(self.sigma * _NORMAL.inv_cdf(u)), self.low), self.high)

    def whole(self, u: float) -> int:
        """The quantile at `u` as a whole number; `uniform` gives each whole number in `low`..`high` the same chance."""
        if self.kind == "uniform":
            return min(math.floor(self.low + u * (self.high - self.low + 1)), math.floor(self.high))
        return round(self.at(u))


def constant(value: float) -> Distribution:
    """Always `value`."""
    return Distribution("constant", value, value)


def uniform(low: float, high: float) -> Distribution:
    """Uniform between `low` and `high`, bounds included."""
    return Distribution("uniform", low, high)


def lognormal(median: float, sigma: float, low: float = 0.0, high: float = math.inf) -> Distribution:
    """Lognormal by median and the logarithm's standard deviation, clipped to `low`..`high`."""
    return Distribution("lognormal", low, min(high, 1e12), median, sigma)


def lognormal_p90(median: float, p90: float, low: float = 0.0, high: float = math.inf) -> Distribution:
    """Lognormal by median and 90th percentile: sigma = ln(p90 / median) / 1.2816."""
    if not p90 >= median > 0:
        raise ValueError("a lognormal needs a median above 0 and a p90 that is not below the median")
    return lognormal(median, math.log(p90 / median) / _Z90, low, high)


def filler(key: str, chars: int) -> str:
    """`chars` characters of text drawn from `key`: lower-case words and spaces, no character that JSON escapes.

    A longer text of the same key begins with the shorter one. Texts of different keys share no block of 16 tokens
    (a collision would need 96 equal bits).
    """
    if chars <= 0:
        return ""
    digest = shake_128(key.encode()).digest(-(-chars // TOKEN_CHARS))
    text = bytearray(b" ") * (len(digest) * TOKEN_CHARS)
    for at, letters in enumerate(_LETTERS):  # much faster than joining the words
        text[at::TOKEN_CHARS] = digest.translate(letters)
    return text[:chars].decode("ascii")
