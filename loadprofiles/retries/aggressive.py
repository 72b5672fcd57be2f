"""A client without a retry budget: a cause of metastable failures (Bronson et al., HotOS 2021)."""

from __future__ import annotations

from random import Random
from typing import Final

from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["Aggressive"]

_RETRIED_4XX: Final = (408, 409, 425, 429)
_PAUSE_S: Final = 0.1
"""Short enough to count as immediate. Without it, a refused connection would be retried thousands of times a second."""


class Aggressive:
    """Retries any failure immediately (after 0.1 s), without limit, and ignores `retry-after`.

    Gives up only on a client error (4xx except 408, 409, 425 and 429). Otherwise retries until the session is ended, at
    the end of the load's drain.
    """

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        status = failure.status
        if status is not None and 400 <= status < 500 and status not in _RETRIED_4XX and not failure.transport:
            return GiveUp()
        return Retry(_PAUSE_S)
