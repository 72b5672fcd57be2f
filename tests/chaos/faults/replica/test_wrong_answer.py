"""`wrong_answer`: what it tells the replica."""

from __future__ import annotations

from chaos.faults.replica.wrong_answer import WrongAnswer


def test_where_it_begins_is_told() -> None:
    assert WrongAnswer.model_validate({"pool": "tpu"}).params() == {"after_tokens": 0}
    assert WrongAnswer.model_validate({"pool": "tpu", "after_tokens": 9}).params() == {"after_tokens": 9}
