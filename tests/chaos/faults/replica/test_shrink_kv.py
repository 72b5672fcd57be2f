"""`shrink_kv`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.shrink_kv import ShrinkKv


def test_the_lost_share_is_sent() -> None:
    assert ShrinkKv.model_validate({"pool": "tpu", "lost": "60%"}).params() == {"lost": 0.6}


@pytest.mark.parametrize("lost", ["0%", "100%"])
def test_a_share_of_zero_and_of_all_blocks_is_refused(lost: str) -> None:
    with pytest.raises(ValidationError, match="lost"):
        ShrinkKv.model_validate({"pool": "tpu", "lost": lost})


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = ShrinkKv.model_validate({"pool": "tpu", "lost": 0.5})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        ShrinkKv.model_validate({"pool": "tpu", "lost": 0.5, "share": "30%"})
