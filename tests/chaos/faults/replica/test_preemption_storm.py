"""`preemption_storm`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.preemption_storm import PreemptionStorm


def test_interval_in_milliseconds_and_sequences_are_sent() -> None:
    assert PreemptionStorm.model_validate({"pool": "tpu"}).params() == {"ms": 500.0, "count": 1}
    spec = PreemptionStorm.model_validate({"pool": "tpu", "every": "20ms", "sequences": 3})
    assert spec.params() == {"ms": 20.0, "count": 3}


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = PreemptionStorm.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        PreemptionStorm.model_validate({"pool": "tpu", "share": "30%"})
