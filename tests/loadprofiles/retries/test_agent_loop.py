from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, CallRepeater, Failure, GiveUp, Retry
from tests.support.failures import CORRUPT, CUT, OVERLOADED, TIMEOUT, status


@pytest.mark.parametrize("failure", [TIMEOUT, CUT, CORRUPT, OVERLOADED, status(400), status(429, retry_after="3")])
@pytest.mark.parametrize("taken", [0, 1, 2])
def test_retries_inside_a_call_are_those_of_the_openai_sdk(failure: Failure, taken: int) -> None:
    sdk, loop = POLICIES["openai-sdk"], POLICIES["agent-loop"]
    assert loop.decide(taken, failure, 0.0, Random("k")) == sdk.decide(taken, failure, 0.0, Random("k"))


def test_only_an_agent_loop_repeats_failed_calls_at_most_three_times() -> None:
    assert [name for name, policy in POLICIES.items() if isinstance(policy, CallRepeater)] == ["agent-loop"]
    loop = POLICIES["agent-loop"]
    assert isinstance(loop, CallRepeater)
    assert [loop.repeat(taken) for taken in range(4)] == [Retry(1.0)] * 3 + [GiveUp()]
