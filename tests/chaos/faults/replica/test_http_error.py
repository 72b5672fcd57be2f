"""`http_error`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.http_error import HttpError


def test_only_given_parameters_are_sent() -> None:
    assert HttpError.model_validate({"pool": "tpu"}).params() == {"status": 503}
    spec = HttpError.model_validate({"cloud": "gcp", "status": 429, "retry_after": "1500ms", "body": "busy"})
    assert spec.params() == {"status": 429, "retry_after_s": 1.5, "body": "busy"}


@pytest.mark.parametrize("status", [200, 399, 600, "busy"])
def test_a_status_that_is_not_an_error_is_refused(status: object) -> None:
    with pytest.raises(ValidationError, match="status"):
        HttpError.model_validate({"pool": "tpu", "status": status})
