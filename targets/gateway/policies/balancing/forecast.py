"""What a call will cost a replica: engine seconds, predicted from its prompt and its expected output.

A decode step serves all sequences at once; what one of them adds to a step is its work. So the work of a call is
`prefill + output x (c + d x mean context)`, with the coefficients of the replica's hardware (`targets.hardware.step_cost`).
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.gateway.config import Upstream
from targets.gateway.policies.attempts.timeouts import prefill_s

__all__ = ["CallSize", "OutputForecast", "step_share_s", "work_s"]

_FIRST_GUESS = 256  # tokens, before anything was seen
_MEMORY = 0.05  # the weight of the latest answer


@dataclass(frozen=True, slots=True)
class CallSize:
    """What a call asks for, in tokens; `output`: as expected."""

    prompt: int
    output: float


class OutputForecast:
    """Expected output. A limit says little where callers always ask for the maximum, and much where they do not: what
    is learnt is the share of the limit that answers use, and the length of those without one (EWMA, weight 5 %)."""

    def __init__(self) -> None:
        self._share = 1.0
        self._tokens = float(_FIRST_GUESS)

    def expect(self, limit: int | None) -> float:
        """Output tokens expected of a call with this limit."""
        return max(1.0, limit * self._share) if limit else self._tokens

    def learn(self, limit: int | None, tokens: int) -> None:
        """A whole answer had so many tokens."""
        self._tokens += _MEMORY * (tokens - self._tokens)
        if limit:
            self._share += _MEMORY * (min(1.0, tokens / limit) - self._share)


def step_share_s(upstream: Upstream, ask: CallSize) -> float:
    """Seconds that the call adds to each decode step there, at its mean context."""
    return upstream.sequence_us * 1e-6 + upstream.context_ns_per_token * 1e-9 * (ask.prompt + ask.output / 2)


def work_s(upstream: Upstream, ask: CallSize, cached_tokens: int = 0) -> float:
    """Engine seconds that the call takes there, of which `cached_tokens` of its prompt should be spared."""
    return prefill_s(ask.prompt, cached_tokens, upstream.prefill_us_per_token) + ask.output * step_share_s(
        upstream, ask
    )
