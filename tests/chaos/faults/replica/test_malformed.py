"""`malformed`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.malformed import Malformed


def test_it_breaks_http_by_default_and_can_break_json() -> None:
    assert Malformed.model_validate({"pool": "tpu"}).params() == {"how": "http"}
    assert Malformed.model_validate({"pool": "tpu", "how": "json"}).params() == {"how": "json"}


def test_it_affects_a_request_before_its_stream_and_refuses_a_phase() -> None:
    with pytest.raises(ValidationError, match="phase"):
        Malformed.model_validate({"pool": "tpu", "phase": "decode"})
