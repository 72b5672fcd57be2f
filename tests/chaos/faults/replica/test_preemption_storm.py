"""`preemption_storm`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.preemption_storm import PreemptionStorm


def test_times_and_sequences_are_told() -> None:
    assert PreemptionStorm.model_validate({"pool": "tpu"}).params() == {"ms": 500.0, "count": 1}
    spec = PreemptionStorm.model_validate({"pool": "tpu", "every": "20ms", "sequences": 3})
    assert spec.params() == {"ms": 20.0, "count": 3}


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = PreemptionStorm.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        PreemptionStorm.model_validate({"pool": "tpu", "share": "30%"})
