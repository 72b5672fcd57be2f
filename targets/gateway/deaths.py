"""How an attempt dies: what ended it, in the outcomes that the router and the reports know."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from reports.attributes import Outcome
from targets.gateway.attempts import Refusal
from targets.gateway.watch import Watch

__all__ = ["DeadError", "broken", "interrupted"]


@dataclass(slots=True)
class DeadError(Exception):
    """An attempt ended badly."""

    outcome: Outcome
    why: str
    lost: bool = False
    refusal: Refusal | None = None
    retry_after_s: float | None = None
    outrun: bool = False  # another attempt of the same call had its first token sooner


def interrupted(watch: Watch) -> DeadError:
    """The death of an attempt that its watch ended."""
    waited_s = watch.attempt.first_token_s
    if watch.fired == "evacuated":
        return DeadError(Outcome.TIMEOUT, "it is shut out and silent", lost=True)
    if watch.fired == "between tokens":
        return DeadError(Outcome.STALLED, "silent between tokens")
    if watch.writing:
        return DeadError(Outcome.ABANDONED, "the client does not read")
    if watch.fired == "total":
        return DeadError(Outcome.TIMEOUT, "the call took too long")
    return DeadError(Outcome.TIMEOUT, f"no token within {waited_s:.2f} s")


def broken(error: BaseException, answered: bool) -> DeadError:
    """The death of an attempt whose connection failed. `answered`: its headers had come."""
    what = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        return DeadError(Outcome.TIMEOUT, f"no connection: {what}")
    if answered:
        return DeadError(Outcome.TRUNCATED, f"the connection broke: {what}", lost=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return DeadError(Outcome.REFUSED, f"no connection: {what}", lost=True)
    return DeadError(Outcome.RESET, f"the connection broke before an answer: {what}", lost=True)
