"""`no_terminal`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.no_terminal import NoTerminal


def test_it_has_no_parameters_and_no_position() -> None:
    assert NoTerminal.model_validate({"pool": "tpu"}).params() == {}
    with pytest.raises(ValidationError, match="after_tokens"):
        NoTerminal.model_validate({"pool": "tpu", "after_tokens": 1})
