"""The retries of the official OpenAI client for Python, version 3.54.0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Final

from loadprofiles.retries.backoff import (
    MAX_RETRIES,
    exponential_s,
    failed_in_transport,
    parse_date_s,
    status_is_retried,
)
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["EMULATES", "OpenAISDK"]

EMULATES: Final = "openai 3.54.0"
_MAX_RETRY_AFTER_S: Final = 120.0
_INFINITIES = ("inf", "+inf", "infinity", "+infinity")


class OpenAISDK:
    """Two retries; waits as long as `retry-after` requests up to 120 s, and does not retry if it requests more."""

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        if retries_taken >= MAX_RETRIES:
            return GiveUp()
        if failed_in_transport(failure):
            return Retry(exponential_s(retries_taken, rng))
        asked_s = _retry_after_s(failure.headers, now_unix_s)
        honoured = asked_s is not None and math.isfinite(asked_s)
        if honoured and asked_s is not None and asked_s > _MAX_RETRY_AFTER_S:
            return GiveUp()
        if not status_is_retried(failure.status, failure.headers):
            return GiveUp()
        if honoured and asked_s is not None and asked_s > 0:
            return Retry(asked_s)
        return Retry(exponential_s(retries_taken, rng))


def _retry_after_s(headers: Mapping[str, str], now_unix_s: float) -> float | None:
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            delay = float(value)
        except ValueError:
            continue
        if delay == math.inf and value.strip().lower() not in _INFINITIES:
            return _MAX_RETRY_AFTER_S + 1
        return delay / divisor
    return parse_date_s(headers.get("retry-after"), now_unix_s)
