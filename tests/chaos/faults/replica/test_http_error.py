"""`http_error`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.http_error import HttpError


def test_only_what_is_given_is_told() -> None:
    assert HttpError.model_validate({"pool": "tpu"}).params() == {"status": 503}
    spec = HttpError.model_validate({"cloud": "gcp", "status": 429, "retry_after": "1500ms", "body": "busy"})
    assert spec.params() == {"status": 429, "retry_after_s": 1.5, "body": "busy"}


@pytest.mark.parametrize("status", [200, 399, 600, "busy"])
def test_a_status_that_is_no_error_is_refused(status: object) -> None:
    with pytest.raises(ValidationError, match="status"):
        HttpError.model_validate({"pool": "tpu", "status": status})
