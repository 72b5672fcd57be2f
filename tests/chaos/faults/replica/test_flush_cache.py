"""`flush_cache`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.flush_cache import FlushCache


def test_once_or_again_and_again() -> None:
    assert FlushCache.model_validate({"pool": "tpu"}).params() == {}
    assert FlushCache.model_validate({"pool": "tpu", "every": "5s"}).params() == {"every_s": 5.0}


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = FlushCache.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        FlushCache.model_validate({"pool": "tpu", "share": "30%"})
