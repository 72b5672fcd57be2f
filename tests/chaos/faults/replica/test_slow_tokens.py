"""`slow_tokens`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_tokens import SlowTokens


def test_factor_gap_and_position_are_sent() -> None:
    spec = SlowTokens.model_validate({"pool": "tpu", "factor": 5})
    assert spec.params() == {"factor": 5.0, "ms": 0.0, "after_tokens": 0}
    spec = SlowTokens.model_validate({"pool": "tpu", "gap": "300ms", "after_tokens": 4})
    assert spec.params() == {"factor": 1.0, "ms": 300.0, "after_tokens": 4}


def test_without_factor_and_gap_it_is_refused() -> None:
    with pytest.raises(ValidationError, match="slows nothing"):
        SlowTokens.model_validate({"pool": "tpu"})
