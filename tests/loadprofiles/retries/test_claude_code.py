from __future__ import annotations

import pytest

from loadprofiles.retries import POLICIES, Failure, GiveUp, Retry
from tests.support.failures import CORRUPT, CUT, OVERLOADED, TIMEOUT, Highest, Lowest, status

POLICY = POLICIES["claude-code"]


def test_delays_double_from_half_a_second_to_32_s_with_up_to_25_percent_jitter() -> None:
    least = [POLICY.decide(taken, status(503), 0.0, Lowest()) for taken in range(11)]
    assert least == [*map(Retry, (0.5, 1, 2, 4, 8, 16, 32, 32, 32, 32)), GiveUp()]
    most = POLICY.decide(3, status(503), 0.0, Highest())
    assert isinstance(most, Retry)
    assert most.after_s == pytest.approx(5.0)


@pytest.mark.parametrize("failure", [TIMEOUT, CUT, OVERLOADED, *map(status, (408, 409, 429, 500, 503, 529))])
def test_failures_that_may_be_temporary_are_retried(failure: Failure) -> None:
    assert POLICY.decide(0, failure, 0.0, Lowest()) == Retry(0.5)


@pytest.mark.parametrize("failure", [CORRUPT, *map(status, (400, 401, 404, 413))])
def test_other_failures_are_not_retried(failure: Failure) -> None:
    assert POLICY.decide(0, failure, 0.0, Lowest()) == GiveUp()


@pytest.mark.parametrize(
    ("failure", "decision"),
    [
        (status(429, retry_after="7"), Retry(7.0)),
        (status(429, retry_after="600"), Retry(600.0)),
        (status(429, retry_after="inf"), Retry(4_294_967.0)),
        (status(429, retry_after="0"), Retry(0.5)),
        (status(529, retry_after="Thu, 01 Jan 1970 00:00:12 GMT"), Retry(2.0)),
        (status(429, x_should_retry="false"), GiveUp()),
        (status(400, x_should_retry="true"), Retry(0.5)),
    ],
)
def test_retry_after_and_x_should_retry_are_obeyed(failure: Failure, decision: object) -> None:
    assert POLICY.decide(0, failure, 10.0, Lowest()) == decision
