"""Failures of attempts, and random generators with fixed results, for tests of retry policies."""

from __future__ import annotations

from random import Random

from loadprofiles.retries import Failure

BUSY = Failure(503, transport=False, streaming=True)
TIMEOUT = Failure(None, transport=True, streaming=True)
CUT = Failure(200, transport=True, streaming=True)
CORRUPT = Failure(200, transport=False, streaming=True)
OVERLOADED = Failure(200, transport=False, streaming=True, error='{"type":"overloaded_error"}')


def status(code: int, **headers: str) -> Failure:
    """A failure by status; `retry_after="7"` becomes the header `retry-after`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Failure(code, transport=False, streaming=True, headers=named)


class Lowest(Random):
    """Always draws 0."""

    def random(self) -> float:
        return 0.0


class Highest(Random):
    """Always draws the largest number below 1."""

    def random(self) -> float:
        return 1 - 2**-53
