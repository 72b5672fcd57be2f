from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, GiveUp, Retry
from tests.support.failures import Lowest, status

POLICY = POLICIES["openai-sdk"]


@pytest.mark.parametrize(("seconds", "decision"), [("7", Retry(7.0)), ("120", Retry(120.0)), ("130", GiveUp())])
def test_retry_after_is_obeyed_up_to_120_s_and_above_that_there_is_no_retry(seconds: str, decision: object) -> None:
    assert POLICY.decide(0, status(429, retry_after=seconds), 0.0, Random(1)) == decision


def test_an_infinite_retry_after_is_ignored_and_an_overflowing_one_is_too_long() -> None:
    assert POLICY.decide(0, status(503, retry_after="inf"), 0.0, Lowest()) == Retry(0.5)
    assert POLICY.decide(0, status(503, retry_after="1e999"), 0.0, Lowest()) == GiveUp()
