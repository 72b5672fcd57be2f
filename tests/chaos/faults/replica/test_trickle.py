"""`trickle`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

from chaos.faults.replica.trickle import Trickle


def test_bytes_interval_and_position_are_sent() -> None:
    assert Trickle.model_validate({"pool": "tpu"}).params() == {"bytes": 20, "ms": 10.0, "after_tokens": 0}
    spec = Trickle.model_validate({"pool": "tpu", "bytes": 1, "every": "50ms", "after_tokens": 3})
    assert spec.params() == {"bytes": 1, "ms": 50.0, "after_tokens": 3}
