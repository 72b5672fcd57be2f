"""An agent around an SDK: what the SDK gives up on, the agent does again from its start (double spend)."""

from __future__ import annotations

from random import Random
from typing import Final

from loadprofiles.retries.openai_sdk import OpenAISDK
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry

__all__ = ["AgentLoop"]

_MAX_REPEATS: Final = 3
_PAUSE_S: Final = 1.0


class AgentLoop:
    """Inside a call the retries of the OpenAI SDK; a call that broke is made again as a new one, up to 3 times, 1 s
    later: a stream that was cut half way too, whose tokens were paid for already.
    """

    def __init__(self) -> None:
        self._sdk = OpenAISDK()

    def decide(self, retries_taken: int, failure: Failure, now_unix_s: float, rng: Random) -> Decision:
        """See `RetryPolicy.decide`."""
        return self._sdk.decide(retries_taken, failure, now_unix_s, rng)

    def repeat(self, repeats_taken: int) -> Decision:
        """See `CallRepeater.repeat`."""
        return Retry(_PAUSE_S) if repeats_taken < _MAX_REPEATS else GiveUp()
