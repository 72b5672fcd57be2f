"""Exponential backoff with full jitter."""

from __future__ import annotations

from random import Random

from targets.gateway.config import Backoff
from targets.gateway.policies.attempts.backoff import backoff_s


def test_backoff_has_full_jitter_below_an_exponential_bound() -> None:
    config, rng = Backoff(initial_s=0.1, multiplier=2.0, max_s=0.5), Random(5)
    for retry, bound in ((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (9, 0.5)):
        pauses = [backoff_s(config, retry, rng) for _ in range(300)]
        assert 0.0 <= min(pauses) < 0.1 * bound
        assert 0.9 * bound < max(pauses) < bound
    assert backoff_s(None, 3, rng) == 0.0
