"""`claude-code`, `aggressive`, `agent-loop`: what each does after every kind of failure."""

from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, CallRepeater, Failure, GiveUp, Retry

TIMEOUT = Failure(None, transport=True, streaming=True)
CUT = Failure(200, transport=True, streaming=True)
CORRUPT = Failure(200, transport=False, streaming=True)
OVERLOADED = Failure(200, transport=False, streaming=True, error='{"type":"overloaded_error"}')


class Highest(Random):
    """Draws the number just below 1 each time."""

    def random(self) -> float:
        return 1 - 2**-53


def status(code: int, **headers: str) -> Failure:
    return Failure(
        code,
        transport=False,
        streaming=True,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class Lowest(Random):
    """Draws 0 each time."""

    def random(self) -> float:
        return 0.0


def test_claude_code_waits_half_a_second_doubled_up_to_32_and_a_quarter_more_at_most() -> None:
    policy = POLICIES["claude-code"]
    least = [policy.decide(taken, status(503), 0.0, Lowest()) for taken in range(11)]
    assert least == [*map(Retry, (0.5, 1, 2, 4, 8, 16, 32, 32, 32, 32)), GiveUp()]
    most = policy.decide(3, status(503), 0.0, Highest())
    assert isinstance(most, Retry)
    assert most.after_s == pytest.approx(5.0)


@pytest.mark.parametrize("failure", [TIMEOUT, CUT, OVERLOADED, *map(status, (408, 409, 429, 500, 503, 529))])
def test_claude_code_retries_what_another_attempt_may_mend(failure: Failure) -> None:
    assert POLICIES["claude-code"].decide(0, failure, 0.0, Lowest()) == Retry(0.5)


@pytest.mark.parametrize("failure", [CORRUPT, *map(status, (400, 401, 404, 413))])
def test_claude_code_gives_up_on_the_rest(failure: Failure) -> None:
    assert POLICIES["claude-code"].decide(0, failure, 0.0, Lowest()) == GiveUp()


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
def test_claude_code_obeys_what_the_server_asks_for(failure: Failure, decision: object) -> None:
    assert POLICIES["claude-code"].decide(0, failure, 10.0, Lowest()) == decision


@pytest.mark.parametrize("taken", [0, 1, 10, 100_000])
@pytest.mark.parametrize(
    "failure", [TIMEOUT, CUT, CORRUPT, OVERLOADED, status(429, retry_after="30"), status(503), status(408)]
)
def test_aggressive_tries_at_once_without_limit_and_obeys_nothing(failure: Failure, taken: int) -> None:
    assert POLICIES["aggressive"].decide(taken, failure, 0.0, Random(1)) == Retry(0.1)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422])
def test_aggressive_gives_up_only_on_what_no_attempt_can_mend(code: int) -> None:
    assert POLICIES["aggressive"].decide(0, status(code), 0.0, Random(1)) == GiveUp()


@pytest.mark.parametrize("failure", [TIMEOUT, CUT, CORRUPT, OVERLOADED, status(400), status(429, retry_after="3")])
@pytest.mark.parametrize("taken", [0, 1, 2])
def test_an_agent_loop_retries_a_call_as_its_sdk_does(failure: Failure, taken: int) -> None:
    sdk, loop = POLICIES["openai-sdk"], POLICIES["agent-loop"]
    assert loop.decide(taken, failure, 0.0, Random("k")) == sdk.decide(taken, failure, 0.0, Random("k"))


def test_only_an_agent_loop_makes_a_broken_call_again_three_times_at_most() -> None:
    assert [name for name, policy in POLICIES.items() if isinstance(policy, CallRepeater)] == ["agent-loop"]
    loop = POLICIES["agent-loop"]
    assert isinstance(loop, CallRepeater)
    assert [loop.repeat(taken) for taken in range(4)] == [Retry(1.0)] * 3 + [GiveUp()]
