"""What a retry policy is asked and what it answers. Policies are pure: time and randomness are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeAlias, runtime_checkable

__all__ = ["CallRepeater", "Decision", "Failure", "GiveUp", "Retry", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed, as far as a client can tell.

    `status`: of the answer, None where no headers arrived. `headers`: of the answer, names in lower case, repeated ones
    joined by ", ". `transport`: the connection or the HTTP message broke, or a timeout ran out, at any point; False for
    answers that arrived whole and were bad. `streaming`: the caller asked for a stream. `error`: of an error event in a
    stream that had begun well, else "".
    """

    status: int | None
    transport: bool
    streaming: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


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


@runtime_checkable
class CallRepeater(Protocol):
    """Optional, of a policy: what the agent does with a call that its client has given up on."""

    def repeat(self, repeats_taken: int) -> Decision:
        """Whether the call is made again as a new one, after it broke `repeats_taken` + 1 times."""
