"""`wrong_answer`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

from chaos.faults.replica.wrong_answer import WrongAnswer


def test_the_position_is_sent() -> None:
    assert WrongAnswer.model_validate({"pool": "tpu"}).params() == {"after_tokens": 0}
    assert WrongAnswer.model_validate({"pool": "tpu", "after_tokens": 9}).params() == {"after_tokens": 9}
