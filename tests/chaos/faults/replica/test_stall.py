"""`stall`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.stall import Stall


def test_without_a_length_a_stream_is_silent_as_long_as_the_fault_lasts() -> None:
    assert Stall.model_validate({"pool": "tpu"}).params() == {"after_tokens": 0}
    assert Stall.model_validate({"pool": "tpu", "after_tokens": 5, "for": "3s"}).params() == {
        "after_tokens": 5,
        "for_s": 3.0,
    }


def test_a_silence_of_no_length_is_refused() -> None:
    with pytest.raises(ValidationError, match="for"):
        Stall.model_validate({"pool": "tpu", "for": "0s"})
