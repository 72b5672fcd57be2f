"""Retry scope, budget, backoff, migration limits, timeouts, probes."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from reports.shared.attributes import Outcome
from targets.gateway.config import Backoff, Migration, Retries, RetryBudget, Timeouts
from targets.gateway.policies.attempts.backoff import backoff_s
from targets.gateway.policies.attempts.migration import why_no_migration
from targets.gateway.policies.attempts.retries import GiveUp, NextAttempt, RetryScope, RetryUsage
from targets.gateway.policies.attempts.retry_budget import Budget
from targets.gateway.policies.attempts.timeouts import first_token_s, prefill_s


def scope(retries: Retries | None = None, migration: Migration | None = None) -> RetryScope:
    return RetryScope(retries or Retries(max_retries=2, max_resends=3), migration, Random(1))


def ask(
    at: RetryScope, spent: RetryUsage, outcome: Outcome, *, passed_on: bool = False, connection_lost: bool = False
) -> NextAttempt | GiveUp:
    return at.next(0.0, spent, outcome, passed_on=passed_on, connection_lost=connection_lost, in_flight=1)


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.HTTP_4XX, Outcome.ABANDONED])
def test_the_callers_own_outcome_is_never_sent_again(outcome: Outcome) -> None:
    assert ask(scope(), RetryUsage(), outcome) == GiveUp("not retriable: client error")


def test_retries_and_resends_have_limits_of_their_own() -> None:
    at, spent = scope(), RetryUsage()
    verdicts = [ask(at, spent, Outcome.REFUSED) for _ in range(4)]
    assert [isinstance(verdict, NextAttempt) for verdict in verdicts] == [True, True, True, False]
    assert all(verdict.pause_s == 0.0 for verdict in verdicts if isinstance(verdict, NextAttempt))
    verdicts = [ask(at, spent, Outcome.HTTP_5XX) for _ in range(3)]
    assert [isinstance(verdict, NextAttempt) for verdict in verdicts] == [True, True, False]
    assert (spent.resends, spent.retries) == (3, 2)


def test_without_resends_a_lost_connection_is_an_ordinary_retry() -> None:
    at, spent = scope(Retries(max_retries=2, max_resends=0, budget=None)), RetryUsage()
    assert [isinstance(ask(at, spent, Outcome.RESET), NextAttempt) for _ in range(3)] == [True, True, False]


def test_a_lost_connection_costs_no_budget() -> None:
    budget = RetryBudget(reserve_per_s=0.0, active_min=100)
    at, spent = scope(Retries(budget=budget)), RetryUsage()
    assert isinstance(ask(at, spent, Outcome.TRUNCATED, connection_lost=True), NextAttempt)
    assert ask(at, spent, Outcome.TRUNCATED) == GiveUp("the retry budget is spent (20% of requests)")


def test_after_the_first_token_only_a_migration() -> None:
    spent = RetryUsage()
    assert ask(scope(), spent, Outcome.RESET, passed_on=True) == GiveUp(
        "the client already has tokens, and migration is off"
    )
    at = scope(migration=Migration(2))
    verdicts = [ask(at, spent, Outcome.STALLED, passed_on=True) for _ in range(3)]
    assert verdicts[0] == NextAttempt("migration", "stalled: migration 1 of 2")
    assert verdicts[2] == GiveUp("migrated 2 times already")
    assert (spent.retries, spent.resends) == (0, 0)


def test_a_replica_that_refused_a_migration_took_none() -> None:
    at, spent = scope(migration=Migration(1)), RetryUsage()
    assert isinstance(ask(at, spent, Outcome.TRUNCATED, passed_on=True, connection_lost=True), NextAttempt)
    verdicts = [ask(at, spent, Outcome.REFUSED, passed_on=True, connection_lost=True) for _ in range(4)]
    assert verdicts[:3] == [NextAttempt("migration", f"refused: resend {n} of 3") for n in (1, 2, 3)]
    assert verdicts[3] == GiveUp("migrated 1 times already")


def test_a_place_among_the_active_retries_is_held_until_the_call_ends() -> None:
    at = scope(Retries(budget=RetryBudget(active_min=1, active_share=0.01)))
    first, second = RetryUsage(), RetryUsage()
    assert isinstance(ask(at, first, Outcome.HTTP_5XX), NextAttempt)
    assert isinstance(ask(at, second, Outcome.HTTP_5XX), GiveUp)
    assert isinstance(ask(at, first, Outcome.HTTP_5XX), NextAttempt)  # its own next retry takes its own place
    at.close(first)
    assert isinstance(ask(at, second, Outcome.HTTP_5XX), NextAttempt)
    at.close(second)
    at.close(second)
    assert at.budget is not None
    assert at.budget.active == 0


def test_the_budget_is_a_fifth_of_the_requests_of_ten_seconds() -> None:
    budget = Budget(RetryBudget(share=0.2, ttl_s=10.0, reserve_per_s=0.0, active_min=1000))
    for _ in range(10):
        budget.deposit(0.0)
    assert [budget.withdraw(5.0, 0) is None for _ in range(3)] == [True, True, False]
    for _ in range(5):
        budget.deposit(6.0)
    assert budget.withdraw(6.0, 0) is None


def test_deposits_expire() -> None:
    budget = Budget(RetryBudget(reserve_per_s=0.0, active_min=1000))
    for _ in range(100):
        budget.deposit(0.0)
    assert budget.withdraw(9.9, 0) is None
    assert budget.withdraw(10.0, 0) is not None


def test_the_reserve_is_free() -> None:
    budget = Budget(RetryBudget(reserve_per_s=1.0, ttl_s=10.0, active_min=1000))
    assert [budget.withdraw(0.0, 0) is None for _ in range(11)] == [True] * 10 + [False]
    assert budget.withdraw(10.0, 0) is None


def test_the_active_limit_grows_with_what_is_in_flight() -> None:
    budget = Budget(RetryBudget(active_min=3, active_share=0.2))
    assert [budget.withdraw(0.0, 5) is None for _ in range(4)] == [True, True, True, False]
    assert budget.withdraw(0.0, 20) is None


def test_backoff_has_full_jitter_below_a_growing_bound() -> None:
    config, rng = Backoff(initial_s=0.1, multiplier=2.0, max_s=0.5), Random(5)
    for retry, bound in ((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (9, 0.5)):
        pauses = [backoff_s(config, retry, rng) for _ in range(300)]
        assert 0.0 <= min(pauses) < 0.1 * bound
        assert 0.9 * bound < max(pauses) < bound
    assert backoff_s(None, 3, rng) == 0.0


def test_the_first_token_is_waited_for_by_the_predicted_prefill() -> None:
    config = Timeouts(first_token_s=1.0, prefill_factor=3.0)
    assert prefill_s(10_000, 0, 64.0) == pytest.approx(0.64)
    assert prefill_s(10_000, 2_000, 64.0) == pytest.approx(0.512)
    assert prefill_s(10_000, 9_900, 64.0) == pytest.approx(0.32)  # half at most is believed to be cached
    assert first_token_s(config, 0.64) == pytest.approx(2.92)
    assert first_token_s(Timeouts(first_token_s=None), 0.64) == inf


def test_migration_has_a_limit() -> None:
    assert why_no_migration(Migration(3), 2) is None
    assert why_no_migration(Migration(3), 3) == "migrated 3 times already"
    assert why_no_migration(None, 0) is not None
