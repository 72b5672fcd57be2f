"""The retries of the official Anthropic client for Python, version 2.12.0."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from loadprofiles.retries.backoff import (
    MAX_RETRIES,
    broke_in_transport,
    exponential_s,
    parse_date_s,
    status_is_retried,
)
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["EMULATES", "AnthropicSDK"]

EMULATES: Final = "anthropic 2.12.0"
_LONGEST_SLEEP_S: Final = 4_294_967.0


class AnthropicSDK:
    """Two retries; obeys `retry-after`, however long."""

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        if retries_taken >= MAX_RETRIES:
            return GiveUp()
        if broke_in_transport(failure):
            return Retry(exponential_s(retries_taken, rng))
        if not status_is_retried(failure.status, failure.headers):
            return GiveUp()
        asked_s = _retry_after_s(failure.headers, now_unix_s)
        if asked_s is not None and asked_s > 0:
            return Retry(min(asked_s, _LONGEST_SLEEP_S))
        return Retry(exponential_s(retries_taken, rng))


def _retry_after_s(headers: Mapping[str, str], now_unix_s: float) -> float | None:
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return float(headers[name]) / divisor
        except (KeyError, ValueError):
            continue
    return parse_date_s(headers.get("retry-after"), now_unix_s)
