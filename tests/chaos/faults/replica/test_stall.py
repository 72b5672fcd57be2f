"""`stall`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.stall import Stall


def test_without_a_length_no_length_is_sent() -> None:
    assert Stall.model_validate({"pool": "tpu"}).params() == {"after_tokens": 0}
    assert Stall.model_validate({"pool": "tpu", "after_tokens": 5, "for": "3s"}).params() == {
        "after_tokens": 5,
        "for_s": 3.0,
    }


def test_a_length_of_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="for"):
        Stall.model_validate({"pool": "tpu", "for": "0s"})
