"""`stale_metrics`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.stale_metrics import StaleMetrics


def test_metrics_are_frozen_by_default_and_can_report_no_load() -> None:
    assert StaleMetrics.model_validate({"pool": "tpu"}).params() == {"how": "frozen"}
    assert StaleMetrics.model_validate({"pool": "tpu", "how": "idle"}).params() == {"how": "idle"}


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = StaleMetrics.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        StaleMetrics.model_validate({"pool": "tpu", "share": "30%"})
