"""A client that never retries."""

from __future__ import annotations

from random import Random

from loadprofiles.retries.policy import Decision, Failure, GiveUp

__all__ = ["NoRetries"]


class NoRetries:
    """Gives up after the first failure."""

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        return GiveUp()
