"""The timeout to the first token, from the predicted prefill."""

from __future__ import annotations

from math import inf

import pytest

from targets.gateway.config import Timeouts
from targets.gateway.policies.attempts.timeouts import first_token_s, prefill_s


def test_the_first_token_timeout_grows_with_the_predicted_prefill() -> None:
    config = Timeouts(first_token_s=1.0, prefill_factor=3.0)
    assert prefill_s(10_000, 0, 64.0) == pytest.approx(0.64)
    assert prefill_s(10_000, 2_000, 64.0) == pytest.approx(0.512)
    assert prefill_s(10_000, 9_900, 64.0) == pytest.approx(0.32)  # at most half counts as cached
    assert first_token_s(config, 0.64) == pytest.approx(2.92)
    assert first_token_s(Timeouts(first_token_s=None), 0.64) == inf
