"""`lying_health`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.lying_health import LyingHealth


def test_it_is_silent_by_default_and_can_fail() -> None:
    assert LyingHealth.model_validate({"pool": "tpu"}).params() == {"how": "silent"}
    assert LyingHealth.model_validate({"pool": "tpu", "how": "failing"}).params() == {"how": "failing"}


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = LyingHealth.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        LyingHealth.model_validate({"pool": "tpu", "share": "30%"})
