"""`slow_decode`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_decode import SlowDecode


def test_the_factor_is_sent_and_it_affects_the_whole_replica() -> None:
    spec = SlowDecode.model_validate({"pool": "tpu", "factor": 4})
    assert spec.params() == {"factor": 4.0}
    assert spec.requests_share is None


@pytest.mark.parametrize("factor", [1, 0.5, -1, float("inf")])
def test_a_factor_that_slows_nothing_is_refused(factor: float) -> None:
    with pytest.raises(ValidationError, match="factor"):
        SlowDecode.model_validate({"pool": "tpu", "factor": factor})
