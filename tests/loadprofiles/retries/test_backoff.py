"""What both SDKs share: which failures are retried, and after which delay."""

from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, Failure, GiveUp, Retry
from loadprofiles.retries.backoff import parse_retry_after_s, status_is_retried
from tests.support.failures import BUSY


@pytest.mark.parametrize("name", ["openai-sdk", "anthropic-sdk"])
def test_delays_double_from_half_a_second_with_jitter_below(name: str) -> None:
    rng = Random(7)
    for taken, longest in ((0, 0.5), (1, 1.0)):
        sleeps = []
        for _ in range(200):
            decision = POLICIES[name].decide(taken, BUSY, 0.0, rng)
            assert isinstance(decision, Retry)
            sleeps.append(decision.after_s)
        assert 0.75 * longest < min(sleeps) < 0.8 * longest
        assert 0.95 * longest < max(sleeps) <= longest
    assert POLICIES[name].decide(2, BUSY, 0.0, rng) == GiveUp()


@pytest.mark.parametrize("name", ["openai-sdk", "anthropic-sdk"])
def test_equal_random_streams_give_equal_delays(name: str) -> None:
    policy = POLICIES[name]
    assert policy.decide(0, BUSY, 0.0, Random("k")) == policy.decide(0, BUSY, 0.0, Random("k"))


@pytest.mark.parametrize("name", ["openai-sdk", "anthropic-sdk"])
def test_a_2xx_with_a_bad_answer_is_not_retried(name: str) -> None:
    policy = POLICIES[name]
    assert policy.decide(0, Failure(200, transport=False, streaming=False), 0.0, Random(1)) == GiveUp()
    assert policy.decide(0, Failure(200, transport=True, streaming=True), 0.0, Random(1)) == GiveUp()
    assert isinstance(policy.decide(0, Failure(200, transport=True, streaming=False), 0.0, Random(1)), Retry)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1234", "retry-after": "7"}, 1.234),
        ({"retry-after-ms": "soon", "retry-after": "6"}, 6.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:12 GMT"}, 2.0),
    ],
)
def test_retry_after_is_parsed_as_milliseconds_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert parse_retry_after_s(headers, 10.0) == seconds


def test_x_should_retry_overrides_the_status() -> None:
    assert [status_is_retried(code, {}) for code in (400, 408, 409, 429, 500, 599)] == [False, *[True] * 5]
    assert status_is_retried(400, {"x-should-retry": "true"})
    assert not status_is_retried(503, {"x-should-retry": "false"})
    assert status_is_retried(503, {"x-should-retry": "maybe"})
