"""`flush_cache`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.flush_cache import FlushCache


def test_without_an_interval_it_flushes_once() -> None:
    assert FlushCache.model_validate({"pool": "tpu"}).params() == {}
    assert FlushCache.model_validate({"pool": "tpu", "every": "5s"}).params() == {"every_s": 5.0}


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = FlushCache.model_validate({"pool": "tpu"})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        FlushCache.model_validate({"pool": "tpu", "share": "30%"})
