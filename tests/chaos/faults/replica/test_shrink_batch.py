"""`shrink_batch`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.shrink_batch import ShrinkBatch


def test_the_batch_size_is_sent() -> None:
    assert ShrinkBatch.model_validate({"pool": "tpu", "max_sequences": 8}).params() == {"max_sequences": 8}


def test_it_affects_the_whole_replica_and_refuses_selectors_of_requests() -> None:
    spec = ShrinkBatch.model_validate({"pool": "tpu", "max_sequences": 8})
    assert (spec.requests_share, spec.requests_only) == (None, {})
    with pytest.raises(ValidationError, match="share"):
        ShrinkBatch.model_validate({"pool": "tpu", "max_sequences": 8, "share": "30%"})
