"""Concurrency limits and throttling in the router. Exact times, no I/O."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from reports.shared.attributes import Outcome
from targets.gateway.config import (
    Concurrency,
    GatewayConfig,
    Throttling,
    Upstream,
)
from targets.gateway.routing.decisions import AttemptResult, Reject, RoutedAttempt, RoutedCall
from targets.gateway.routing.router import Router
from tests.support.gateway_harness import POLICIES

ONE = Concurrency(kind="fixed", initial=1, least=1)


def test_replicas_at_their_limit_are_used_only_if_all_are_full() -> None:
    upstreams = tuple(Upstream(f"r{n}", "p", f"http://r{n}") for n in range(2))
    policies = replace(POLICIES, affinity=None, concurrency=ONE)
    at = Router(GatewayConfig(upstreams, policies=policies), Random(1))
    assert at.capacity() == (2, 0, 2)
    first, second, third = (at.choose(0.0, RoutedCall("", 100)) for _ in range(3))
    assert isinstance(first, RoutedAttempt)
    assert isinstance(second, RoutedAttempt)
    assert isinstance(third, RoutedAttempt)  # an admitted request is not rejected
    assert {first.replica.name, second.replica.name} == {"r0", "r1"}
    assert at.capacity() == (2, 3, 0)
    at.observe(1.0, first, AttemptResult(Outcome.OK))
    assert at.capacity()[1] == 2


def test_a_rejecting_upstream_is_throttled_and_without_another_a_call_gets_503() -> None:
    upstreams = (Upstream("r0", "p", "http://r0"),)
    policies = replace(POLICIES, affinity=None, breaker=None, ejection=None, panic=None, throttling=Throttling())
    at = Router(GatewayConfig(upstreams, policies=policies), Random(1))
    sent = 0
    for n in range(400):
        choice = at.choose(n / 100, RoutedCall("", 100))
        if isinstance(choice, RoutedAttempt):
            sent += 1
            at.observe(n / 100, choice, AttemptResult(Outcome.HTTP_5XX))
        else:
            assert isinstance(choice, Reject)
            assert choice.status == 503
            assert choice.decision.excluded == (("r0", "throttled (it rejects too many requests)"),)
    assert sent < 20  # the sum of 1 / (n + 1) for 400 requests is 6.6


def test_a_slow_first_token_does_not_count_as_a_rejection() -> None:
    upstreams = (Upstream("r0", "p", "http://r0"),)
    at = Router(GatewayConfig(upstreams, policies=replace(POLICIES, affinity=None, throttling=Throttling())), Random(1))
    assert all(isinstance(at.choose(0.0, RoutedCall("", 100)), RoutedAttempt) for _ in range(20))


def test_a_pool_that_serves_all_requests_is_never_throttled() -> None:
    upstreams = (Upstream("r0", "p", "http://r0"), Upstream("r1", "p", "http://r1"))
    policies = replace(POLICIES, affinity=None, throttling=Throttling(per="pool"))
    at = Router(GatewayConfig(upstreams, policies=policies), Random(1))
    assert at.replicas["r0"].throttle is at.replicas["r1"].throttle
    for n in range(100):
        choice = at.choose(n / 10, RoutedCall("", 100))
        assert isinstance(choice, RoutedAttempt)
        at.first_token(n / 10, choice)
        at.observe(n / 10, choice, AttemptResult(Outcome.OK))


def test_counts_waiting_limits_only_requests_before_their_first_token() -> None:
    upstreams = (Upstream("r0", "p", "http://r0"),)
    limit = Concurrency(kind="fixed", counts="waiting", initial=1, least=1)
    at = Router(GatewayConfig(upstreams, policies=replace(POLICIES, affinity=None, concurrency=limit)), Random(1))
    first = at.choose(0.0, RoutedCall("", 100))
    assert isinstance(first, RoutedAttempt)
    assert at.capacity() == (1, 1, 0)
    at.first_token(0.5, first)
    assert at.capacity() == (1, 0, 1)
    second = at.choose(1.0, RoutedCall("", 100))
    assert isinstance(second, RoutedAttempt)
    at.observe(1.5, second, AttemptResult(Outcome.TIMEOUT))
    assert at.capacity() == (1, 0, 1)
    at.observe(2.0, first, AttemptResult(Outcome.OK))
    assert at.capacity() == (1, 0, 1)
