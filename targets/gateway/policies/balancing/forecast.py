"""Predicted engine time of a call, from its prompt and its expected output.

A decode step serves all sequences at once; the work of one sequence is the time that it adds to each step. So the work
of a call is `prefill + output x (c + d x mean context)`, with the coefficients of the replica's hardware
(`targets.hardware.step_cost`).
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.gateway.config import Upstream
from targets.gateway.policies.attempts.timeouts import prefill_s

__all__ = ["CallSize", "OutputForecast", "step_share_s", "work_s"]

_FIRST_GUESS = 256  # tokens, before the first response
_MEMORY = 0.05  # weight of the latest response


@dataclass(frozen=True, slots=True)
class CallSize:
    """The size of a call in tokens. `output`: expected."""

    prompt: int
    output: float


class OutputForecast:
    """Expected output tokens. Some callers always ask for the maximum, others for what they need. So two averages are
    learnt (EWMA, weight 5 %): the share of the limit that responses use, and the length of those without a limit."""

    def __init__(self) -> None:
        self._share = 1.0
        self._tokens = float(_FIRST_GUESS)

    def expect(self, limit: int | None) -> float:
        """Returns the expected output tokens of a call with this limit."""
        return max(1.0, limit * self._share) if limit else self._tokens

    def learn(self, limit: int | None, tokens: int) -> None:
        """Records the length of a complete response."""
        self._tokens += _MEMORY * (tokens - self._tokens)
        if limit:
            self._share += _MEMORY * (min(1.0, tokens / limit) - self._share)


def step_share_s(upstream: Upstream, size: CallSize) -> float:
    """Seconds that the call adds to each decode step of a replica, at its mean context."""
    return upstream.sequence_us * 1e-6 + upstream.context_ns_per_token * 1e-9 * (size.prompt + size.output / 2)


def work_s(upstream: Upstream, size: CallSize, cached_tokens: int = 0) -> float:
    """Engine seconds of the call at a replica that should have `cached_tokens` of its prompt cached."""
    return prefill_s(size.prompt, cached_tokens, upstream.prefill_us_per_token) + size.output * step_share_s(
        upstream, size
    )
