"""A timeout for each phase of an attempt, and the prediction of the prefill that the first token waits for."""

from __future__ import annotations

from math import inf

from targets.gateway.config import Timeouts

__all__ = ["first_token_s", "prefill_s"]


def prefill_s(prompt_tokens: int, cached_tokens: int, us_per_token: float) -> float:
    """Predicted prefill in seconds of a prompt of which some should be cached: at most half of it is believed.

    What is cached is a guess (blocks are evicted; a sub-agent shares its session's home but not its prompt), and a
    timeout that is too short does more harm than one that is too long: the prefill is then paid twice.
    """
    return max(prompt_tokens - cached_tokens, prompt_tokens // 2) * us_per_token * 1e-6


def first_token_s(config: Timeouts, predicted_prefill_s: float) -> float:
    """Seconds to wait for a first token: a constant plus a multiple of the predicted prefill. Infinite if off."""
    if config.first_token_s is None:
        return inf
    return config.first_token_s + config.prefill_factor * predicted_prefill_s
