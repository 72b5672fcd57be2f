"""The router under an operator: whatever is drained and switched while calls run, its counts stay right."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.shared.attributes import Outcome
from targets.gateway.config import GatewayConfig, GatewayPolicies, SlowStart, Upstream
from targets.gateway.operations.switches import SWITCHES, switched
from targets.gateway.policies.attempts.retries import NextAttempt
from targets.gateway.routing.decisions import AttemptResult, Reject, RoutedAttempt, RoutedCall
from targets.gateway.routing.router import Router

UPSTREAMS = tuple(Upstream(f"r{n}", f"p{n // 2}", f"http://r{n}", continuation=True) for n in range(6))
OUTCOMES = [Outcome.OK, Outcome.HTTP_5XX, Outcome.TIMEOUT, Outcome.RESET]
DO = st.one_of(
    st.tuples(st.just("call"), st.integers(0, 5)),
    st.tuples(st.just("end"), st.integers(0, 20)),
    st.tuples(st.just("drain"), st.integers(0, 7)),
    st.tuples(st.just("switch"), st.integers(0, len(SWITCHES) - 1)),
)


@given(steps=st.lists(DO, max_size=60), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_no_drained_replica_is_chosen_and_every_count_returns_to_zero(steps: list[tuple[str, int]], seed: int) -> None:
    policies = GatewayPolicies(slow_start=SlowStart())
    at = Router(GatewayConfig(UPSTREAMS, policies=policies), Random(seed))
    rng, now, drained = Random(seed), 0.0, set[str]()
    running: list[tuple[RoutedCall, RoutedAttempt]] = []
    budgets = []

    def send(call: RoutedCall) -> None:
        choice = at.choose(now, call)
        if isinstance(choice, RoutedAttempt):
            assert choice.replica.upstream.pool not in drained
            running.append((call, choice))
            return
        if len(drained) == 3:
            assert isinstance(choice, Reject)
            assert choice.decision.why == "every replica is drained by the operator"
        at.end(call)

    def end(index: int) -> None:
        call, attempt = running.pop(index % len(running))
        ended = AttemptResult(rng.choice(OUTCOMES))
        at.observe(now, attempt, ended)
        if ended.outcome is not Outcome.OK:
            next_step = at.after_failure(now, call, attempt, ended, passed_on=False)
            if isinstance(next_step, NextAttempt) and call.attempts < 3:
                send(call)
                return
        at.end(call)

    for what, value in steps:
        now += 0.3
        if at._scope.budget is not None and at._scope.budget not in budgets:
            budgets.append(at._scope.budget)
        match what:
            case "call":
                call = RoutedCall(f"s{value}", 100)
                at.begin(now)
                send(call)
            case "end" if running:
                end(value)
            case "drain":
                drained = {f"p{n}" for n in range(3) if value >> n & 1}
                at.take_out(now, {one.name: "drained" for one in UPSTREAMS if one.pool in drained})
            case "switch":
                at.use(now, switched(policies, [list(SWITCHES)[value]]))
    while running:
        end(0)
    assert at.in_flight == 0
    assert all(replica.in_flight == replica.waiting == 0 for replica in at.replicas.values())
    assert all(budget.active == 0 for budget in budgets)
