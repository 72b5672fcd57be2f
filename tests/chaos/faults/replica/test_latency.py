"""`latency`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.latency import Latency


def test_delay_and_jitter_are_sent_in_milliseconds() -> None:
    spec = Latency.model_validate({"pool": "tpu", "delay": "1.5s", "jitter": "50ms", "share": "30%"})
    assert spec.params() == {"ms": 1500.0, "jitter_ms": 50.0}
    assert spec.requests_share == 0.3


def test_a_missing_delay_and_more_jitter_than_delay_are_refused() -> None:
    with pytest.raises(ValidationError, match="delay"):
        Latency.model_validate({"pool": "tpu"})
    with pytest.raises(ValidationError, match="jitter is more than delay"):
        Latency.model_validate({"pool": "tpu", "delay": "10ms", "jitter": "20ms"})
