"""What both vendors' SDKs share (the same tool generates them): which failures they retry, and after which delay.

Sources: `_base_client.py` of openai 3.54.0 and anthropic 2.12.0.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from random import Random
from typing import Final

from loadprofiles.retries.policy import Failure

__all__ = [
    "LONGEST_SLEEP_S",
    "MAX_RETRIES",
    "exponential_s",
    "failed_in_transport",
    "parse_date_s",
    "parse_retry_after_s",
    "status_is_retried",
]

MAX_RETRIES: Final = 2
LONGEST_SLEEP_S: Final = 4_294_967.0
"""Upper bound of a sleep, for any `retry-after`."""
_INITIAL_DELAY_S: Final = 0.5
_MAX_DELAY_S: Final = 8.0


def failed_in_transport(failure: Failure) -> bool:
    """Whether the attempt ended in an exception of the HTTP client inside the SDK's retry loop.

    For a stream, that loop ends when the headers have arrived; otherwise it includes reading the body.
    """
    return failure.transport and (failure.status is None or not failure.streaming)


def status_is_retried(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether a status is retried: as `x-should-retry` says if present, else 408, 409, 429, and 500 and above."""
    if status is None or 200 <= status < 300:
        return False
    should_retry = headers.get("x-should-retry")
    if should_retry in ("true", "false"):
        return should_retry == "true"
    return status in (408, 409, 429) or status >= 500


def exponential_s(retries_taken: int, rng: Random) -> float:
    """Delay before retry n + 1 (n = `retries_taken`): min(0.5 x 2^n, 8) x U(0.75, 1] seconds."""
    delay: float = min(_INITIAL_DELAY_S * 2.0 ** min(retries_taken, 1000), _MAX_DELAY_S)
    return delay * (1 - 0.25 * rng.random())


def parse_retry_after_s(headers: Mapping[str, str], now_unix_s: float) -> float | None:
    """Seconds requested by `retry-after-ms`, else by `retry-after` (seconds or a date); None without a valid value."""
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return float(headers[name]) / divisor
        except (KeyError, ValueError):
            continue
    return parse_date_s(headers.get("retry-after"), now_unix_s)


def parse_date_s(value: str | None, now_unix_s: float) -> float | None:
    """Seconds until the date in a `retry-after` header; None if it is not a date."""
    parsed = email.utils.parsedate_tz(value) if value is not None else None
    try:
        return None if parsed is None else float(email.utils.mktime_tz(parsed) - now_unix_s)
    except (ValueError, OverflowError, OSError):
        return None
