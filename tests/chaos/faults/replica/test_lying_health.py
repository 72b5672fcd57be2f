"""`lying_health`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.lying_health import LyingHealth


def test_it_is_silent_unless_it_fails() -> None:
    assert LyingHealth.model_validate({"pool": "tpu"}).params() == {"how": "silent"}
    assert LyingHealth.model_validate({"pool": "tpu", "how": "failing"}).params() == {"how": "failing"}


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = LyingHealth.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        LyingHealth.model_validate({"pool": "tpu", "share": "30%"})
