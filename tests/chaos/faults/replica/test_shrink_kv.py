"""`shrink_kv`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.shrink_kv import ShrinkKv


def test_the_lost_share_is_told() -> None:
    assert ShrinkKv.model_validate({"pool": "tpu", "lost": "60%"}).params() == {"lost": 0.6}


@pytest.mark.parametrize("lost", ["0%", "100%"])
def test_something_is_lost_and_something_is_left(lost: str) -> None:
    with pytest.raises(ValidationError, match="lost"):
        ShrinkKv.model_validate({"pool": "tpu", "lost": lost})


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = ShrinkKv.model_validate({"pool": "tpu", "lost": 0.5})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        ShrinkKv.model_validate({"pool": "tpu", "lost": 0.5, "share": "30%"})
