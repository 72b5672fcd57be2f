"""The timeout to the first token, from the predicted prefill."""

from __future__ import annotations

from math import inf

from targets.gateway.config import Timeouts

__all__ = ["first_token_s", "prefill_s"]


def prefill_s(prompt_tokens: int, cached_tokens: int, us_per_token: float) -> float:
    """Predicted prefill (seconds) of a prompt that is partly cached. At most half of the prompt counts as cached.

    The cached part is an estimate: blocks are evicted, and a sub-agent shares its session's home but not its prompt. A
    timeout that is too short costs more than one that is too long, because the prefill is then done twice.
    """
    return max(prompt_tokens - cached_tokens, prompt_tokens // 2) * us_per_token * 1e-6


def first_token_s(config: Timeouts, predicted_prefill_s: float) -> float:
    """Timeout to the first token (seconds): a constant plus a multiple of the predicted prefill. Infinite if off."""
    if config.first_token_s is None:
        return inf
    return config.first_token_s + config.prefill_factor * predicted_prefill_s
