"""How an attempt dies: what ended it, in the outcomes that the router and the reports know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from reports.shared.attributes import Outcome
from targets.gateway.api.headers import for_client, retry_after_s
from targets.gateway.server.deadlines import Watch
from targets.gateway.server.retrying import Refusal

__all__ = ["DeadError", "broken", "interrupted", "refused", "refuses"]


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


def refuses(status: int) -> bool:
    """Whether that is no answer for the client yet: others may do better."""
    return 300 <= status < 400 or status == 429 or status >= 500


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> DeadError:
    """The death of an attempt that was answered so."""
    if status < 400:
        return DeadError(Outcome.CORRUPT, f"a redirect ({status}), which is not followed")
    outcome = Outcome.RATE_LIMITED if status == 429 else Outcome.HTTP_5XX
    refusal = Refusal(status, body, for_client(headers))
    return DeadError(outcome, f"HTTP {status}", refusal=refusal, retry_after_s=retry_after_s(headers))


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
