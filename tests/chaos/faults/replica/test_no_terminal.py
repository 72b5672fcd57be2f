"""`no_terminal`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.no_terminal import NoTerminal


def test_it_is_at_the_end_of_every_stream() -> None:
    assert NoTerminal.model_validate({"pool": "tpu"}).params() == {}
    with pytest.raises(ValidationError, match="after_tokens"):
        NoTerminal.model_validate({"pool": "tpu", "after_tokens": 1})
