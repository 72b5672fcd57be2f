"""What a retry policy gets and returns. Policies are pure: time and randomness are passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeAlias, runtime_checkable

__all__ = ["CallRepeater", "Decision", "Failure", "GiveUp", "Retry", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed, as a client sees it.

    `status`: of the response, None if no headers arrived. `headers`: of the response, names in lower case, repeated
    headers joined by ", ". `transport`: the connection failed, the HTTP message was incomplete, or a timeout expired,
    at any point; False if a complete response was bad. `streaming`: the caller requested a stream. `error`: message of
    an error event in a stream with a 2xx status, else "".
    """

    status: int | None
    transport: bool
    streaming: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Retry in `after_s` seconds."""

    after_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not retry: the call has failed."""


Decision: TypeAlias = Retry | GiveUp


class RetryPolicy(Protocol):
    """Decides what a client does after a failed attempt."""

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """The client's decision after attempt number `retries_taken` + 1 failed.

        `now_unix_s`: wall time, to interpret a date in `retry-after`. Draws one number from `rng` if the real client
        draws one.
        """


@runtime_checkable
class CallRepeater(Protocol):
    """Optional part of a policy: whether the agent repeats a call that its client has given up on."""

    def repeat(self, repeats_taken: int) -> Decision:
        """Whether to repeat the call as a new one, after it failed `repeats_taken` + 1 times."""
