"""`slow_decode`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_decode import SlowDecode


def test_its_factor_goes_to_the_replica_and_it_takes_the_whole_of_it() -> None:
    spec = SlowDecode.model_validate({"pool": "tpu", "factor": 4})
    assert spec.params() == {"factor": 4.0}
    assert spec.requests_share is None


@pytest.mark.parametrize("factor", [1, 0.5, -1, float("inf")])
def test_a_factor_that_slows_nothing_is_refused(factor: float) -> None:
    with pytest.raises(ValidationError, match="factor"):
        SlowDecode.model_validate({"pool": "tpu", "factor": factor})
