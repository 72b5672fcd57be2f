"""`duplicate`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.duplicate import Duplicate


def test_it_needs_at_least_one_token_before_it() -> None:
    assert Duplicate.model_validate({"pool": "tpu"}).params() == {"after_tokens": 1}
    with pytest.raises(ValidationError, match="after_tokens"):
        Duplicate.model_validate({"pool": "tpu", "after_tokens": 0})
