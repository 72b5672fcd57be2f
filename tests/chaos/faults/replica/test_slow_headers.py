"""`slow_headers`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.slow_headers import SlowHeaders


def test_the_delay_is_told_in_milliseconds() -> None:
    assert SlowHeaders.model_validate({"pool": "tpu", "delay": "1.5s"}).params() == {"ms": 1500.0}


def test_a_head_that_takes_no_time_is_refused() -> None:
    with pytest.raises(ValidationError, match="delay"):
        SlowHeaders.model_validate({"pool": "tpu", "delay": "0s"})
