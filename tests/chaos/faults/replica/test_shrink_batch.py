"""`shrink_batch`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.shrink_batch import ShrinkBatch


def test_the_batch_is_told() -> None:
    assert ShrinkBatch.model_validate({"pool": "tpu", "max_sequences": 8}).params() == {"max_sequences": 8}


def test_it_is_of_the_replica_as_a_whole() -> None:
    spec = ShrinkBatch.model_validate({"pool": "tpu", "max_sequences": 8})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        ShrinkBatch.model_validate({"pool": "tpu", "max_sequences": 8, "share": "30%"})
