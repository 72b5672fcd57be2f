"""The router: chosen and excluded replicas with reasons, and transitions of the policies. Exact times, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.shared.attributes import Outcome, Transition
from targets.gateway.config import (
    Affinity,
    Backoff,
    Balancing,
    Breaker,
    Concurrency,
    Ejection,
    GatewayConfig,
    GatewayPolicies,
    Panic,
    Probes,
    Retries,
    SlowStart,
    Spillover,
    Upstream,
)
from targets.gateway.policies.attempts.retries import GiveUp, NextAttempt
from targets.gateway.policies.health.probes import ProbeResult
from targets.gateway.routing.decisions import AttemptResult, Change, Reject, RoutedAttempt, RoutedCall, Wait
from targets.gateway.routing.router import Router

POLICIES = GatewayPolicies(
    affinity=Affinity(epsilon=0.5, min_cap=4, placement="balancer"),
    breaker=Breaker(window_calls=10, open_s=3.0, half_open_calls=2),
    ejection=Ejection(consecutive_failures=3, sweep_s=1.0, base_s=3.0, max_s=12.0, max_share=0.67),
)


def router(count: int = 6, **changes: Any) -> Router:
    upstreams = tuple(
        Upstream(f"r{n}", f"p{n // 2}", f"http://r{n}", continuation=n != 5, prefill_us_per_token=100.0)
        for n in range(count)
    )
    return Router(GatewayConfig(upstreams, policies=replace(POLICIES, **changes)), Random(4))


def attempt(at: Router, now: float, call: RoutedCall | None = None) -> RoutedAttempt:
    choice = at.choose(now, call or RoutedCall("", 100))
    assert isinstance(choice, RoutedAttempt)
    return choice


def serve(at: Router, now: float, key: str = "", outcome: Outcome = Outcome.OK, tokens: int = 1000) -> str:
    """One call that ends at once; returns its replica."""
    chosen = attempt(at, now, RoutedCall(key, tokens))
    if outcome is Outcome.OK:
        at.first_token(now, chosen)
    at.observe(now, chosen, AttemptResult(outcome, 10))
    return chosen.replica.name


def transitions(changes: Iterable[Change]) -> list[tuple[str, str]]:
    return [(change.transition.value, change.replica) for change in changes]


def fail_all(at: Router, now: float, name: str, times: int = 3) -> None:
    """Makes `times` calls that only `name` may take, and lets them fail."""
    others = [other for other in at.replicas if other != name]
    for _ in range(times):
        chosen = attempt(at, now, RoutedCall("", 100, failed_on=list(others)))
        assert chosen.replica.name == name
        at.observe(now, chosen, AttemptResult(Outcome.HTTP_5XX))


def test_a_decision_names_candidates_and_excluded_replicas_with_reasons() -> None:
    at = router(3)
    fail_all(at, 0.0, "r1")
    choice = attempt(at, 1.0, RoutedCall("s", 100, failed_on=["r0"]))
    assert choice.replica.name == "r2"
    assert [name for name, _ in choice.decision.considered] == ["r2"]
    assert choice.decision.excluded == (("r0", "failed this call"), ("r1", "ejected"))
    assert choice.decision.why == "new session: p2c"


def test_a_session_stays_at_its_home_and_moves_once_when_it_is_unhealthy() -> None:
    at = router()
    home = serve(at, 0.0, "s")
    assert {serve(at, float(n), "s") for n in range(1, 5)} == {home}
    fail_all(at, 5.0, home)
    moved = serve(at, 5.0, "s")
    assert moved != home
    at.advance(8.0)
    assert (Transition.READMITTED.value, home) in transitions(at.take_changes())
    assert {serve(at, 9.0 + n, "s") for n in range(5)} == {moved}


def test_a_session_with_a_full_home_goes_elsewhere() -> None:
    at = router(2, affinity=Affinity(epsilon=0.25, min_cap=2, placement="balancer"))
    home = serve(at, 0.0, "s")
    assert [attempt(at, 1.0, RoutedCall("s", 100)).replica.name for _ in range(2)] == [home, home]
    elsewhere = attempt(at, 1.0, RoutedCall("s", 100))
    assert elsewhere.replica.name != home
    assert elsewhere.decision.why.startswith(f"its home {home} is full")


@given(st.integers(1, 40), st.floats(0.1, 2.0), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_no_replica_exceeds_the_bounded_load(calls: int, epsilon: float, seed: int) -> None:
    at = router(4, affinity=Affinity(epsilon=epsilon, min_cap=1, placement="ring"))
    rng = Random(seed)
    for _ in range(calls):
        call = RoutedCall(f"s{rng.randrange(5)}", 100)
        in_flight = at.in_flight
        chosen = attempt(at, 0.0, call)
        at.first_token(0.0, chosen)
        assert chosen.replica.in_flight <= (1 + epsilon) * (in_flight + 1) / 4 + 1


def test_an_ejection_ends_after_its_time_and_is_reported() -> None:
    at = router()
    fail_all(at, 0.0, "r2")
    assert transitions(at.take_changes()) == [("ejected", "r2")]
    assert all(serve(at, 2.9) != "r2" for _ in range(20))
    at.advance(3.0)
    assert transitions(at.take_changes()) == [("readmitted", "r2")]


def test_neutral_outcomes_eject_no_replica() -> None:
    at = router(1)
    for outcome in (Outcome.HTTP_4XX, Outcome.RATE_LIMITED, Outcome.ABANDONED):
        for _ in range(12):
            serve(at, 0.0, "", outcome)
    assert at.take_changes() == []


@pytest.mark.parametrize("outcome", [Outcome.TRUNCATED, Outcome.STALLED, Outcome.REFUSED, Outcome.ERROR_EVENT])
def test_a_cut_or_stalled_stream_counts_as_a_failure(outcome: Outcome) -> None:
    at = router(1)
    for _ in range(3):
        chosen = attempt(at, 0.0)
        at.first_token(0.0, chosen)
        at.observe(0.0, chosen, AttemptResult(outcome, 5))
    assert transitions(at.take_changes()) == [("ejected", "r0"), ("panic_on", "")]


def test_a_half_open_breaker_is_probed_by_the_next_calls() -> None:
    at = router(ejection=None, breaker=Breaker(window_calls=3, open_s=3.0, half_open_calls=2))
    fail_all(at, 0.0, "r4", 3)
    assert transitions(at.take_changes()) == [("breaker_open", "r4")]
    assert serve(at, 2.9) != "r4"
    probes = [attempt(at, 3.0) for _ in range(3)]
    assert [probe.replica.name == "r4" for probe in probes] == [True, True, False]
    assert probes[2].decision.excluded == (("r4", "breaker half open, probes under way"),)
    for probe in probes[:2]:
        at.first_token(3.5, probe)
        at.observe(4.0, probe, AttemptResult(Outcome.OK, 10))
    assert transitions(at.take_changes()) == [("breaker_half_open", "r4"), ("breaker_closed", "r4")]


def test_panic_above_half_uses_all_replicas_until_they_are_readmitted() -> None:
    at = router(ejection=Ejection(consecutive_failures=3, base_s=3.0, max_share=1.0))
    for name in ("r0", "r1", "r2"):
        fail_all(at, 0.0, name)
    assert not at.panic
    fail_all(at, 0.0, "r3")
    assert at.panic
    assert {serve(at, 0.1) for _ in range(60)} == {f"r{n}" for n in range(6)}
    at.take_changes()
    at.advance(3.0)
    assert transitions(at.take_changes())[-1] == ("panic_off", "")


def test_no_lockout_when_all_replicas_fail_and_recover() -> None:
    at = router(2, ejection=Ejection(consecutive_failures=1, max_share=1.0))
    for _ in range(10):
        serve(at, 0.0, "", Outcome.HTTP_5XX)
    assert at.panic
    assert serve(at, 0.01) in ("r0", "r1")


def test_without_panic_a_call_waits_for_a_replica_that_is_back_soon() -> None:
    policies = {"panic": None, "breaker": None, "ejection": Ejection(consecutive_failures=1, base_s=3.0, max_share=1.0)}
    at = router(1, **policies)
    serve(at, 0.0, "", Outcome.HTTP_5XX)
    rejected = at.choose(1.0, RoutedCall("", 1))
    assert isinstance(rejected, Reject)
    assert (rejected.status, rejected.retry_after_s) == (503, 2.0)
    waits = at.choose(2.5, RoutedCall("", 1))
    assert isinstance(waits, Wait)
    assert waits.delay_s == pytest.approx(0.5)
    assert serve(at, 3.0) == "r0"


def test_a_429_is_retried_elsewhere_and_its_retry_after_is_respected() -> None:
    at = router(2)
    call = RoutedCall("", 10)
    first = attempt(at, 0.0, call)
    ended = AttemptResult(Outcome.RATE_LIMITED, retry_after_s=4.0)
    at.observe(0.0, first, ended)
    assert at.after_failure(0.0, call, first, ended, False) == NextAttempt("retry", "rate_limited: retry 1 of 3")
    other = attempt(at, 0.0, call)
    assert other.replica is not first.replica
    assert all(serve(at, 3.9) == other.replica.name for _ in range(10))
    at.observe(4.0, other, ended)
    at.after_failure(4.0, call, other, ended, False)
    rejected = at.choose(4.0, call)
    assert isinstance(rejected, Reject)
    assert rejected.status == 429
    assert rejected.retry_after_s == 0.0


def test_a_paused_replica_is_used_if_no_other_is_left() -> None:
    at = router(1)
    chosen = attempt(at, 0.0)
    at.observe(0.0, chosen, AttemptResult(Outcome.RATE_LIMITED, retry_after_s=60.0))
    assert "paused by their Retry-After" in attempt(at, 1.0).decision.why


def test_a_call_waits_for_a_short_retry_after() -> None:
    at = router(1, retries=Retries(backoff=Backoff(retry_after_cap_s=1.0)))
    call = RoutedCall("", 1)
    chosen = attempt(at, 0.0, call)
    ended = AttemptResult(Outcome.RATE_LIMITED, retry_after_s=0.5)
    at.observe(0.0, chosen, ended)
    at.after_failure(0.0, call, chosen, ended, False)
    waits = at.choose(0.1, call)
    assert isinstance(waits, Wait)
    assert waits.delay_s == pytest.approx(0.4)
    assert isinstance(at.choose(0.5, call), RoutedAttempt)


def test_a_retry_returns_to_a_failed_replica_only_if_no_other_is_left() -> None:
    at = router(2)
    call = RoutedCall("", 10)
    names = []
    for _ in range(3):
        chosen = attempt(at, 0.0, call)
        names.append(chosen.replica.name)
        ended = AttemptResult(Outcome.HTTP_5XX)
        at.observe(0.0, chosen, ended)
        at.after_failure(0.0, call, chosen, ended, False)
    assert names[0] != names[1]
    assert names[2] == names[0]  # the last resort: not the latest one to fail


def test_blind_retries_may_use_the_failed_replica() -> None:
    at = router(1, retries=Retries(max_retries=2, avoid_failed=False, budget=None, backoff=None))
    call = RoutedCall("", 10)
    for verdict in (NextAttempt, NextAttempt, GiveUp):
        chosen = attempt(at, 0.0, call)
        ended = AttemptResult(Outcome.HTTP_5XX)
        at.observe(0.0, chosen, ended)
        assert isinstance(at.after_failure(0.0, call, chosen, ended, False), verdict)


def test_a_migration_goes_only_to_replicas_that_can_continue() -> None:
    at = router(6)
    for _ in range(40):
        chosen = attempt(at, 0.0, RoutedCall("", 10, offset=5, failed_on=["r0"], reason="migration"))
        assert chosen.replica.name not in ("r0", "r5")
        assert dict(chosen.decision.excluded) == {"r0": "failed this call", "r5": "cannot continue a stream"}
        assert chosen.reason == "migration"


def test_the_first_token_timeout_counts_the_prefills_before_it() -> None:
    at = router(1, affinity=Affinity())
    first = attempt(at, 0.0, RoutedCall("a", 10_000))
    second = attempt(at, 0.0, RoutedCall("b", 10_000))
    assert first.first_token_s == pytest.approx(1.0 + 3 * 1.0)
    assert second.first_token_s == pytest.approx(1.0 + 3 * 2.0)
    at.first_token(1.0, first)
    at.observe(2.0, first, AttemptResult(Outcome.OK, 50))
    at.observe(2.0, second, AttemptResult(Outcome.ABANDONED))
    assert attempt(at, 3.0, RoutedCall("a", 10_100)).first_token_s == pytest.approx(1.0 + 3 * 0.505)


def test_probes_shut_a_replica_out_and_readmit_it_at_once() -> None:
    at = router(2, probes=Probes(fall=2, rise=1), breaker=Breaker(window_calls=3, open_s=60.0, half_open_calls=2))
    fail_all(at, 0.0, "r0", 3)
    assert at.record_probe(0.1, "r0", ProbeResult(False, "refused")) == 0.0
    assert at.record_probe(0.2, "r0", ProbeResult(False, "refused")) == 1.0
    assert transitions(at.take_changes()) == [("breaker_open", "r0"), ("ejected", "r0")]
    at.advance(5.0)  # its ejection is over, but it is not ready
    assert serve(at, 5.0) == "r1"
    at.record_probe(9.0, "r0", ProbeResult(True, "HTTP 200"))
    assert transitions(at.take_changes()) == [("breaker_half_open", "r0"), ("readmitted", "r0")]
    assert serve(at, 9.0) == "r0"


def test_a_draining_replica_is_reported_and_gets_no_new_call() -> None:
    at = router(2, probes=Probes(fall=3))
    assert at.record_probe(0.0, "r0", ProbeResult(False, "HTTP 503", says_not_ready=True)) == 1.0
    (change,) = at.take_changes()
    assert (change.transition, change.why) == (Transition.EJECTED, "draining: HTTP 503")
    assert attempt(at, 0.1).decision.excluded == (("r0", "draining"),)


def test_panic_can_exclude_replicas_that_refuse_connections() -> None:
    for even_refused, chosen in ((True, 4), (False, 2)):
        at = router(4, probes=Probes(fall=1), panic=Panic(0.4, even_refused))
        for name in ("r0", "r1"):
            at.record_probe(0.0, name, ProbeResult(False, "refused", connection_refused=True))
        assert at.panic
        assert len({serve(at, 0.1) for _ in range(40)}) == chosen
    for name in ("r2", "r3"):
        at.record_probe(0.2, name, ProbeResult(False, "refused", connection_refused=True))
    assert isinstance(at.choose(0.3, RoutedCall("", 1)), RoutedAttempt)  # no other replica is left


def test_a_readmitted_replica_gets_load_slowly() -> None:
    at = router(2, slow_start=SlowStart(window_s=10.0), balancing=Balancing("least_outstanding"), affinity=None)
    fail_all(at, 0.0, "r0")
    for _ in range(8):
        attempt(at, 1.0)
    at.advance(3.0)
    assert at.replicas["r0"].weight(3.0) == 0.1
    # (n + 1) / 0.1 - 1 against 8, 8, ...: one request, and then no more until the other has 19
    assert [attempt(at, 3.0).replica.name for _ in range(3)] == ["r1", "r0", "r1"]
    assert at.replicas["r0"].weight(8.0) == 0.5
    assert at.replicas["r0"].weight(13.0) == 1.0


def test_sessions_return_slowly_to_a_readmitted_home() -> None:
    at = router(2, slow_start=SlowStart(window_s=10.0))
    home = serve(at, 0.0, "s")
    fail_all(at, 0.0, home)
    at.advance(3.0)
    assert attempt(at, 3.0, RoutedCall("s", 100)).replica.name == home  # cap 4 x weight 0.1: one request
    assert attempt(at, 3.0, RoutedCall("s", 100)).decision.why.startswith(f"its home {home} is full")


def test_a_slow_replica_is_ejected_while_its_streams_continue() -> None:
    ejection = replace(POLICIES.ejection or Ejection(), slow_factor=4.0, slow_min_samples=3, slow_sweeps=2)
    at = router(4, ejection=ejection, affinity=None, balancing=Balancing("least_outstanding"))
    for second in (1, 2, 3):
        for name in 3 * list(at.replicas):
            at.record_gap(name, 0.1 if name == "r2" else 0.01)
        at.advance(second + 0.001)
    assert [(c.transition, c.replica, c.why) for c in at.take_changes()] == [
        (Transition.EJECTED, "r2", "10.0 x the time per token of the others; ejected for 3 s")
    ]


def test_a_replica_with_a_long_prefill_does_not_count_as_slow() -> None:
    ejection = replace(POLICIES.ejection or Ejection(), slow_factor=4.0, slow_min_samples=3, slow_sweeps=2)
    at = router(4, ejection=ejection, affinity=None, balancing=Balancing("least_outstanding"))
    busy = attempt(at, 0.0, RoutedCall("", 10_000))  # 1 s of prefill
    for second in (1, 2, 3):
        for name in 3 * list(at.replicas):
            at.record_gap(name, 0.45 if name == busy.replica.name else 0.01)
        at.advance(second + 0.001)
    assert at.take_changes() == []
    at.first_token(3.5, busy)
    for second in (4, 5):
        for name in 3 * list(at.replicas):
            at.record_gap(name, 0.45 if name == busy.replica.name else 0.01)
        at.advance(second + 0.001)
    assert [change.replica for change in at.take_changes()] == [busy.replica.name]


def test_new_sessions_go_to_the_first_pool_until_it_is_full() -> None:
    at = router(6, spillover=Spillover(in_flight=2, order=("p1",)), affinity=None)
    pools = [attempt(at, 0.0).replica.upstream.pool for _ in range(5)]
    assert pools[:4] == ["p1"] * 4
    assert pools[4] in ("p0", "p2")


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)), st.floats(0.0, 2.0)), max_size=120), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_for_any_sequence_of_events_counters_return_to_zero(steps: list[tuple[Outcome, float]], seed: int) -> None:
    at = router(4, panic=Panic(), probes=Probes())
    rng, now, open_attempts = Random(seed), 0.0, []
    for outcome, pause_s in steps:
        now += pause_s
        choice = at.choose(now, RoutedCall(f"s{rng.randrange(4)}", 500))
        assert isinstance(choice, RoutedAttempt)
        open_attempts.append((choice, outcome))
        if rng.random() < 0.3:
            at.record_probe(now, f"r{rng.randrange(4)}", ProbeResult(rng.random() < 0.5, "drawn"))
        while open_attempts and rng.random() < 0.6:
            ended, how = open_attempts.pop(rng.randrange(len(open_attempts)))
            if rng.random() < 0.5:
                at.first_token(now, ended)
            at.observe(now, ended, AttemptResult(how, 3, 1.0))
    assert at.in_flight == len(open_attempts)
    for ended, how in open_attempts:
        at.observe(now, ended, AttemptResult(how))
    assert at.in_flight == 0
    for r in at.replicas.values():
        assert (r.in_flight, r.waiting_prefill_s, r.outstanding_work_s, r.step_load_s) == (0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("over_limit", "cached", "chosen"),
    # 0.3 s of prefill wait at the home, 0.1 s elsewhere; the prompt is 0.8 s of prefill where it is not cached
    [(True, 8000, "home"), (True, 1000, "other"), (False, 8000, "other")],
)
def test_a_session_leaves_a_home_at_its_limit_only_if_a_full_prefill_is_faster(
    over_limit: bool, cached: int, chosen: str
) -> None:
    affinity = Affinity(min_cap=9, placement="balancer", over_limit=over_limit)
    limit = Concurrency(kind="fixed", initial=2, least=2, most=2, counts="waiting")
    at = router(2, affinity=affinity, concurrency=limit, ejection=None, breaker=None)
    home = serve(at, 0.0, "s", tokens=cached)
    other = next(name for name in at.replicas if name != home)
    for name, waiting in ((home, (1500, 1500)), (other, (1000,))):
        for prompt in waiting:
            call = RoutedCall("", prompt, failed_on=[one for one in at.replicas if one != name])
            assert attempt(at, 0.1, call).replica.name == name
    assert attempt(at, 0.2, RoutedCall("s", 8000)).replica.name == {"home": home, "other": other}[chosen]
