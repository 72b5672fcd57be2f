"""`slow_prefill`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_prefill import SlowPrefill


def test_the_factor_is_sent() -> None:
    assert SlowPrefill.model_validate({"pool": "tpu", "factor": 4}).params() == {"factor": 4.0}


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = SlowPrefill.model_validate({"pool": "tpu", "factor": 4})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        SlowPrefill.model_validate({"pool": "tpu", "factor": 4, "share": "30%"})
