"""`slow_headers`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_headers import SlowHeaders


def test_the_delay_is_sent_in_milliseconds() -> None:
    assert SlowHeaders.model_validate({"pool": "tpu", "delay": "1.5s"}).params() == {"ms": 1500.0}


def test_a_delay_of_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="delay"):
        SlowHeaders.model_validate({"pool": "tpu", "delay": "0s"})
