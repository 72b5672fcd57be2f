"""What a retry policy is asked and what it answers. Policies are pure: time and randomness are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeAlias

__all__ = ["Decision", "Failure", "GiveUp", "Retry", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed, as far as a client can tell.

    `status`: of the answer, None where no headers arrived. `headers`: of the answer, names in lower case, repeated ones
    joined by ", ". `transport`: the connection or the HTTP message broke, or a timeout ran out, at any point; False for
    answers that arrived whole and were bad. `streaming`: the caller asked for a stream.
    """

    status: int | None
    transport: bool
    streaming: bool
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again `after_s` seconds from now."""

    after_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The call has failed."""


Decision: TypeAlias = Retry | GiveUp


class RetryPolicy(Protocol):
    """A client's habit after a failed attempt."""

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """What the client does after attempt number `retries_taken` + 1 failed.

        `now_unix_s`: wall time, against which a `retry-after` date is read. One number is drawn from `rng` where the
        client draws one.
        """
