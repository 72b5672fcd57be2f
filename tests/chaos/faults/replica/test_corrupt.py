"""`corrupt`: what it tells the replica."""

from __future__ import annotations

from chaos.faults.replica.corrupt import Corrupt


def test_what_breaks_and_where_is_told() -> None:
    assert Corrupt.model_validate({"pool": "tpu"}).params() == {"after_tokens": 0, "how": "data"}
    spec = Corrupt.model_validate({"pool": "tpu", "how": "line", "after_tokens": 6, "phase": "decode"})
    assert spec.params() == {"after_tokens": 6, "how": "line"}
    assert spec.requests_only == {"phase": "decode"}
