"""The policies as pure objects: ranges, limits, keyed randomness."""

from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, Failure, GiveUp, Retry

BUSY = Failure(503, transport=False, streaming=True)


def test_the_registry_names_the_policies_of_the_design() -> None:
    assert sorted(POLICIES) == [
        "agent-loop",
        "aggressive",
        "anthropic-sdk",
        "claude-code",
        "none",
        "openai-sdk",
    ]


@pytest.mark.parametrize("name", ["openai-sdk", "anthropic-sdk"])
def test_sleep_is_half_a_second_doubled_times_three_quarters_to_one(name: str) -> None:
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
def test_the_same_stream_gives_the_same_sleeps(name: str) -> None:
    policy = POLICIES[name]
    assert policy.decide(0, BUSY, 0.0, Random("k")) == policy.decide(0, BUSY, 0.0, Random("k"))


def test_the_two_differ_above_two_minutes() -> None:
    long = Failure(429, transport=False, streaming=True, headers={"retry-after": "130"})
    assert POLICIES["openai-sdk"].decide(0, long, 0.0, Random(1)) == GiveUp()
    assert POLICIES["anthropic-sdk"].decide(0, long, 0.0, Random(1)) == Retry(130.0)


def test_none_never_retries() -> None:
    assert POLICIES["none"].decide(0, BUSY, 0.0, Random(1)) == GiveUp()


@pytest.mark.parametrize("name", ["openai-sdk", "anthropic-sdk"])
def test_a_good_status_with_a_bad_answer_is_not_tried_again(name: str) -> None:
    policy = POLICIES[name]
    assert policy.decide(0, Failure(200, transport=False, streaming=False), 0.0, Random(1)) == GiveUp()
    assert policy.decide(0, Failure(200, transport=True, streaming=True), 0.0, Random(1)) == GiveUp()
    assert isinstance(policy.decide(0, Failure(200, transport=True, streaming=False), 0.0, Random(1)), Retry)
