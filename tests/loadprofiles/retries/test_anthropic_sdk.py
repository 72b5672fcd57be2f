from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, Retry
from tests.support.failures import status

POLICY = POLICIES["anthropic-sdk"]


@pytest.mark.parametrize(("seconds", "slept_s"), [("7", 7.0), ("130", 130.0), ("1e999", 4_294_967.0)])
def test_retry_after_is_obeyed_without_a_limit(seconds: str, slept_s: float) -> None:
    assert POLICY.decide(0, status(429, retry_after=seconds), 0.0, Random(1)) == Retry(slept_s)
