from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, Failure, GiveUp, Retry
from tests.support.failures import CORRUPT, CUT, OVERLOADED, TIMEOUT, status


@pytest.mark.parametrize("taken", [0, 1, 10, 100_000])
@pytest.mark.parametrize(
    "failure", [TIMEOUT, CUT, CORRUPT, OVERLOADED, status(429, retry_after="30"), status(503), status(408)]
)
def test_failures_are_retried_after_100_ms_without_limit_despite_retry_after(failure: Failure, taken: int) -> None:
    assert POLICIES["aggressive"].decide(taken, failure, 0.0, Random(1)) == Retry(0.1)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422])
def test_client_errors_are_not_retried(code: int) -> None:
    assert POLICIES["aggressive"].decide(0, status(code), 0.0, Random(1)) == GiveUp()
