"""`slow_tokens`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_tokens import SlowTokens


def test_a_factor_a_gap_or_both_are_told() -> None:
    spec = SlowTokens.model_validate({"pool": "tpu", "factor": 5})
    assert spec.params() == {"factor": 5.0, "ms": 0.0, "after_tokens": 0}
    spec = SlowTokens.model_validate({"pool": "tpu", "gap": "300ms", "after_tokens": 4})
    assert spec.params() == {"factor": 1.0, "ms": 300.0, "after_tokens": 4}


def test_one_that_slows_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="slows nothing"):
        SlowTokens.model_validate({"pool": "tpu"})
