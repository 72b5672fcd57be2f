"""`trickle`: what it tells the replica."""

from __future__ import annotations

from chaos.faults.replica.trickle import Trickle


def test_bytes_and_times_are_told() -> None:
    assert Trickle.model_validate({"pool": "tpu"}).params() == {"bytes": 20, "ms": 10.0, "after_tokens": 0}
    spec = Trickle.model_validate({"pool": "tpu", "bytes": 1, "every": "50ms", "after_tokens": 3})
    assert spec.params() == {"bytes": 1, "ms": 50.0, "after_tokens": 3}
