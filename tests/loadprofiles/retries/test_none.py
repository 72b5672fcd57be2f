from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, Failure, GiveUp
from tests.support.failures import BUSY, CUT, TIMEOUT, status


@pytest.mark.parametrize("failure", [BUSY, TIMEOUT, CUT, status(429, retry_after="3")])
def test_no_failure_is_retried(failure: Failure) -> None:
    assert POLICIES["none"].decide(0, failure, 0.0, Random(1)) == GiveUp()
