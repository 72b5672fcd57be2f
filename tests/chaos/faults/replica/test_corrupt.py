"""`corrupt`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

from chaos.faults.replica.corrupt import Corrupt


def test_form_position_and_phase_are_sent() -> None:
    assert Corrupt.model_validate({"pool": "tpu"}).params() == {"after_tokens": 0, "how": "data"}
    spec = Corrupt.model_validate({"pool": "tpu", "how": "line", "after_tokens": 6, "phase": "decode"})
    assert spec.params() == {"after_tokens": 6, "how": "line"}
    assert spec.requests_only == {"phase": "decode"}
