"""`error_event`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

from chaos.faults.replica.error_event import ErrorEvent


def test_message_and_position_are_sent() -> None:
    spec = ErrorEvent.model_validate({"pool": "tpu", "after_tokens": 6, "message": "out of memory"})
    assert spec.params() == {"after_tokens": 6, "message": "out of memory"}
