"""`malformed`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.malformed import Malformed


def test_it_is_no_http_unless_it_is_no_json() -> None:
    assert Malformed.model_validate({"pool": "tpu"}).params() == {"how": "http"}
    assert Malformed.model_validate({"pool": "tpu", "how": "json"}).params() == {"how": "json"}


def test_it_comes_before_any_stream_and_knows_no_phase() -> None:
    with pytest.raises(ValidationError, match="phase"):
        Malformed.model_validate({"pool": "tpu", "phase": "decode"})
