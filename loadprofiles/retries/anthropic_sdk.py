"""The retries of the official Anthropic client for Python, version 2.12.0."""

from __future__ import annotations

from random import Random
from typing import Final

from loadprofiles.retries.backoff import (
    LONGEST_SLEEP_S,
    MAX_RETRIES,
    exponential_s,
    failed_in_transport,
    parse_retry_after_s,
    status_is_retried,
)
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["EMULATES", "AnthropicSDK"]

EMULATES: Final = "anthropic 2.12.0"


class AnthropicSDK:
    """Two retries; waits as long as `retry-after` requests, without a limit."""

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        if retries_taken >= MAX_RETRIES:
            return GiveUp()
        if failed_in_transport(failure):
            return Retry(exponential_s(retries_taken, rng))
        if not status_is_retried(failure.status, failure.headers):
            return GiveUp()
        asked_s = parse_retry_after_s(failure.headers, now_unix_s)
        if asked_s is not None and asked_s > 0:
            return Retry(min(asked_s, LONGEST_SLEEP_S))
        return Retry(exponential_s(retries_taken, rng))
