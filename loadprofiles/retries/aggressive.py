"""A client that knows no budget: how metastable failures are made (Bronson et al., HotOS 2021)."""

from __future__ import annotations

from random import Random
from typing import Final

from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["Aggressive"]

_RETRIED_4XX: Final = (408, 409, 425, 429)
_PAUSE_S: Final = 0.1
"""As good as at once for the target; without it a refused connection would be tried thousands of times a second."""


class Aggressive:
    """Tries again at once (after 0.1 s), without limit, whatever failed; `retry-after` is ignored.

    Only what no attempt can mend is given up: a request that the target calls wrong (4xx but 408, 409, 425 and 429). It
    ends with the session: at the end of the load's drain.
    """

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        status = failure.status
        if status is not None and 400 <= status < 500 and status not in _RETRIED_4XX and not failure.transport:
            return GiveUp()
        return Retry(_PAUSE_S)
