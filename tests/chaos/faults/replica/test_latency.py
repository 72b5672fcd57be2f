"""`latency`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.latency import Latency


def test_its_times_go_to_the_replica_in_milliseconds() -> None:
    spec = Latency.model_validate({"pool": "tpu", "delay": "1.5s", "jitter": "50ms", "share": "30%"})
    assert spec.params() == {"ms": 1500.0, "jitter_ms": 50.0}
    assert spec.requests_share == 0.3


def test_without_a_delay_or_with_more_jitter_than_delay_it_is_refused() -> None:
    with pytest.raises(ValidationError, match="delay"):
        Latency.model_validate({"pool": "tpu"})
    with pytest.raises(ValidationError, match="jitter is more than delay"):
        Latency.model_validate({"pool": "tpu", "delay": "10ms", "jitter": "20ms"})
