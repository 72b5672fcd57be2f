"""The circuit breaker. Exact times."""

from __future__ import annotations

import pytest

from reports.shared.attributes import Transition
from targets.gateway.config import Breaker
from targets.gateway.policies.health.breaker import BreakerState, CircuitBreaker

CONFIG = Breaker(window_calls=10, failure_share=0.5, open_s=3.0, half_open_calls=3)


def opened(config: Breaker = CONFIG, at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker(config)
    while breaker.state is BreakerState.CLOSED:
        breaker.leave(at, breaker.enter(), True)
    return breaker


def test_the_breaker_opens_only_with_a_full_window() -> None:
    breaker = CircuitBreaker(CONFIG)
    for _ in range(9):
        assert breaker.leave(0.0, breaker.enter(), True) is None
    assert breaker.leave(0.0, breaker.enter(), True) == (Transition.BREAKER_OPEN, "10 of 10 calls failed")
    assert not breaker.admits()


@pytest.mark.parametrize(("failures", "state"), [(4, BreakerState.CLOSED), (5, BreakerState.OPEN)])
def test_half_of_the_window_failed_opens_the_breaker(failures: int, state: BreakerState) -> None:
    breaker = CircuitBreaker(CONFIG)
    for n in range(10):
        breaker.leave(0.0, breaker.enter(), n < failures)
    assert breaker.state is state


def test_the_window_slides() -> None:
    breaker = CircuitBreaker(CONFIG)
    for failed in [True] * 4 + [False] * 10 + [True] * 4:
        breaker.leave(0.0, breaker.enter(), failed)
    assert breaker.admits()
    breaker.leave(0.0, breaker.enter(), True)
    assert breaker.state is BreakerState.OPEN


def test_neutral_outcomes_do_not_count() -> None:
    breaker = CircuitBreaker(CONFIG)
    for _ in range(50):
        breaker.leave(0.0, breaker.enter(), None)
    for _ in range(9):
        breaker.leave(0.0, breaker.enter(), True)
    assert breaker.state is BreakerState.CLOSED


def test_a_window_of_slow_calls_opens_the_breaker() -> None:
    breaker = CircuitBreaker(Breaker(window_calls=4, slow_first_token_s=2.0, slow_token_s=0.1))
    assert [breaker.is_slow(1.0, None), breaker.is_slow(2.1, None), breaker.is_slow(1.0, 0.11)] == [False, True, True]
    for _ in range(3):
        breaker.leave(0.0, 0, False, slow=True)
    assert breaker.leave(0.0, 0, False, slow=True) == (Transition.BREAKER_OPEN, "4 of 4 calls were slow")


def test_the_breaker_turns_half_open_after_open_s_and_admits_probes() -> None:
    breaker = opened()
    assert breaker.advance(2.999) is None
    assert breaker.advance(3.0) == (Transition.BREAKER_HALF_OPEN, "open for 3 s")
    probes = []
    while breaker.admits():
        probes.append(breaker.enter())
    assert len(probes) == 3
    breaker.leave(3.1, probes[0], None)  # the client disconnected: another probe may pass
    assert breaker.admits()


def test_successful_probes_close_the_breaker_and_failed_ones_open_it_early() -> None:
    breaker = opened()
    breaker.advance(3.0)
    periods = [breaker.enter() for _ in range(3)]
    assert [breaker.leave(4.0, period, False) for period in periods] == [
        None,
        None,
        (Transition.BREAKER_CLOSED, "3 probes succeeded"),
    ]
    breaker = opened()
    breaker.advance(3.0)
    periods = [breaker.enter() for _ in range(3)]
    assert breaker.leave(4.0, periods[0], True) is None
    assert breaker.leave(4.0, periods[1], True) == (Transition.BREAKER_OPEN, "2 of 3 calls failed")
    assert breaker.open_until == 7.0


def test_a_call_from_before_the_half_open_period_is_no_probe() -> None:
    breaker = CircuitBreaker(CONFIG)
    old = breaker.enter()
    for _ in range(10):
        breaker.leave(0.0, breaker.enter(), True)
    breaker.advance(3.0)
    assert breaker.leave(3.0, old, True) is None
    probe = breaker.enter()
    breaker.half_open("again")  # no change: already half open
    assert breaker.leave(3.5, probe, False) is None
    assert breaker.state is BreakerState.HALF_OPEN


def test_half_open_works_before_open_s_has_passed() -> None:
    breaker = opened()
    assert breaker.half_open("probe succeeded") == (Transition.BREAKER_HALF_OPEN, "probe succeeded")
    assert breaker.half_open("again") is None


def test_more_probes_than_window_calls_still_close_the_breaker() -> None:
    breaker = CircuitBreaker(Breaker(window_calls=5, half_open_calls=10, open_s=3.0))
    for _ in range(5):
        breaker.leave(0.0, breaker.enter(), True)
    breaker.advance(3.0)
    changes = [breaker.leave(4.0, breaker.enter(), False) for _ in range(10)]
    assert changes[-1] == (Transition.BREAKER_CLOSED, "10 probes succeeded")
    for _ in range(4):
        assert breaker.leave(5.0, breaker.enter(), True) is None
    assert breaker.leave(5.0, breaker.enter(), True) == (Transition.BREAKER_OPEN, "5 of 5 calls failed")
