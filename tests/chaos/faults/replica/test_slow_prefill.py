"""`slow_prefill`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_prefill import SlowPrefill


def test_the_factor_is_told() -> None:
    assert SlowPrefill.model_validate({"pool": "tpu", "factor": 4}).params() == {"factor": 4.0}


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = SlowPrefill.model_validate({"pool": "tpu", "factor": 4})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        SlowPrefill.model_validate({"pool": "tpu", "factor": 4, "share": "30%"})
