"""An agent on top of an SDK: it repeats, from the start, a call that the SDK gave up on (and pays for it twice)."""

from __future__ import annotations

from random import Random
from typing import Final

from loadprofiles.retries.openai_sdk import OpenAISDK
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["AgentLoop"]

_MAX_REPEATS: Final = 3
_PAUSE_S: Final = 1.0


class AgentLoop:
    """Retries inside a call as the OpenAI SDK does. Repeats a failed call as a new one, up to 3 times, after 1 s each.

    It also repeats a call whose stream was cut, although the tokens received so far were paid for.
    """

    def __init__(self) -> None:
        self._sdk = OpenAISDK()

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        return self._sdk.decide(retries_taken, failure, now_unix_s, rng)

    def repeat(self, repeats_taken: int) -> Decision:
        """See `CallRepeater.repeat`."""
        return Retry(_PAUSE_S) if repeats_taken < _MAX_REPEATS else GiveUp()
