"""The retries of Claude Code: many retries with long delays, so that a session survives an outage of minutes."""

from __future__ import annotations

from random import Random
from typing import Final

from loadprofiles.retries.backoff import LONGEST_SLEEP_S, parse_retry_after_s, status_is_retried
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["ClaudeCode"]

_MAX_RETRIES: Final = 10
_INITIAL_DELAY_S: Final = 0.5
_MAX_DELAY_S: Final = 32.0
_JITTER: Final = 0.25


class ClaudeCode:
    """Up to 10 retries on 408, 409, 429, 5xx (529 included), an `overloaded_error` in a stream, timeouts and dropped
    connections, also in the middle of a stream. Sleeps as `retry-after` requests, else min(0.5 x 2^n, 32) x U(1, 1.25)
    seconds, n from 0.
    """

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        if retries_taken >= _MAX_RETRIES:
            return GiveUp()
        interrupted = failure.transport or "overloaded" in failure.error
        if not interrupted and not status_is_retried(failure.status, failure.headers):
            return GiveUp()
        asked_s = parse_retry_after_s(failure.headers, now_unix_s)
        if asked_s is not None and asked_s > 0:
            return Retry(min(asked_s, LONGEST_SLEEP_S))
        delay_s = min(_INITIAL_DELAY_S * 2.0**retries_taken, _MAX_DELAY_S)
        return Retry(delay_s * (1 + _JITTER * rng.random()))
