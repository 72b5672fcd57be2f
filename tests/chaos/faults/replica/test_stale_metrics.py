"""`stale_metrics`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.stale_metrics import StaleMetrics


def test_they_are_frozen_unless_they_say_that_nobody_is_there() -> None:
    assert StaleMetrics.model_validate({"pool": "tpu"}).params() == {"how": "frozen"}
    assert StaleMetrics.model_validate({"pool": "tpu", "how": "idle"}).params() == {"how": "idle"}


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = StaleMetrics.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        StaleMetrics.model_validate({"pool": "tpu", "share": "30%"})
