"""What follows a failed attempt: retry, resend, migration, or none."""

from __future__ import annotations

from random import Random

import pytest

from reports.shared.attributes import Outcome
from targets.gateway.config import Migration, Retries, RetryBudget
from targets.gateway.policies.attempts.retries import RETRIABLE, GiveUp, NextAttempt, RetryScope, RetryUsage


def scope(retries: Retries | None = None, migration: Migration | None = None) -> RetryScope:
    return RetryScope(retries or Retries(max_retries=2, max_resends=3), migration, Random(1))


def ask(
    at: RetryScope, spent: RetryUsage, outcome: Outcome, *, passed_on: bool = False, connection_lost: bool = False
) -> NextAttempt | GiveUp:
    return at.next(0.0, spent, outcome, passed_on=passed_on, connection_lost=connection_lost, in_flight=1)


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.HTTP_4XX, Outcome.ABANDONED])
def test_outcomes_caused_by_the_client_are_not_retried(outcome: Outcome) -> None:
    assert ask(scope(), RetryUsage(), outcome) == GiveUp("not retriable: client error")


def test_each_outcome_is_either_final_or_retriable() -> None:
    assert set(Outcome) - RETRIABLE == {Outcome.OK, Outcome.HTTP_4XX, Outcome.ABANDONED}
    for outcome in RETRIABLE:
        assert isinstance(ask(scope(), RetryUsage(), outcome), NextAttempt)


def test_retries_and_resends_have_separate_limits() -> None:
    at, spent = scope(), RetryUsage()
    verdicts = [ask(at, spent, Outcome.REFUSED) for _ in range(4)]
    assert [isinstance(verdict, NextAttempt) for verdict in verdicts] == [True, True, True, False]
    assert all(verdict.pause_s == 0.0 for verdict in verdicts if isinstance(verdict, NextAttempt))
    verdicts = [ask(at, spent, Outcome.HTTP_5XX) for _ in range(3)]
    assert [isinstance(verdict, NextAttempt) for verdict in verdicts] == [True, True, False]
    assert (spent.resends, spent.retries) == (3, 2)


def test_without_resends_a_lost_connection_counts_as_a_retry() -> None:
    at, spent = scope(Retries(max_retries=2, max_resends=0, budget=None)), RetryUsage()
    assert [isinstance(ask(at, spent, Outcome.RESET), NextAttempt) for _ in range(3)] == [True, True, False]


def test_a_resend_after_a_lost_connection_costs_no_retry_budget() -> None:
    budget = RetryBudget(reserve_per_s=0.0, active_min=100)
    at, spent = scope(Retries(budget=budget)), RetryUsage()
    assert isinstance(ask(at, spent, Outcome.TRUNCATED, connection_lost=True), NextAttempt)
    assert ask(at, spent, Outcome.TRUNCATED) == GiveUp("the retry budget is spent (20% of requests)")


def test_after_the_first_token_only_a_migration_may_follow() -> None:
    spent = RetryUsage()
    assert ask(scope(), spent, Outcome.RESET, passed_on=True) == GiveUp(
        "the client already has tokens, and migration is off"
    )
    at = scope(migration=Migration(2))
    verdicts = [ask(at, spent, Outcome.STALLED, passed_on=True) for _ in range(3)]
    assert verdicts[0] == NextAttempt("migration", "stalled: migration 1 of 2")
    assert verdicts[2] == GiveUp("migrated 2 times already")
    assert (spent.retries, spent.resends) == (0, 0)


def test_a_migration_whose_connection_is_refused_counts_as_a_resend() -> None:
    at, spent = scope(migration=Migration(1)), RetryUsage()
    assert isinstance(ask(at, spent, Outcome.TRUNCATED, passed_on=True, connection_lost=True), NextAttempt)
    verdicts = [ask(at, spent, Outcome.REFUSED, passed_on=True, connection_lost=True) for _ in range(4)]
    assert verdicts[:3] == [NextAttempt("migration", f"refused: resend {n} of 3") for n in (1, 2, 3)]
    assert verdicts[3] == GiveUp("migrated 1 times already")


def test_a_retry_counts_as_active_until_its_call_ends() -> None:
    at = scope(Retries(budget=RetryBudget(active_min=1, active_share=0.01)))
    first, second = RetryUsage(), RetryUsage()
    assert isinstance(ask(at, first, Outcome.HTTP_5XX), NextAttempt)
    assert isinstance(ask(at, second, Outcome.HTTP_5XX), GiveUp)
    assert isinstance(ask(at, first, Outcome.HTTP_5XX), NextAttempt)  # replaces its first retry
    at.close(first)
    assert isinstance(ask(at, second, Outcome.HTTP_5XX), NextAttempt)
    at.close(second)
    at.close(second)
    assert at.budget is not None
    assert at.budget.active == 0
