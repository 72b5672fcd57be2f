"""`error_event`: what it tells the replica."""

from __future__ import annotations

from chaos.faults.replica.error_event import ErrorEvent


def test_the_message_and_where_are_told() -> None:
    spec = ErrorEvent.model_validate({"pool": "tpu", "after_tokens": 6, "message": "out of memory"})
    assert spec.params() == {"after_tokens": 6, "message": "out of memory"}
