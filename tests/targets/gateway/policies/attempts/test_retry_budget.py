"""The retry budget. Exact times."""

from __future__ import annotations

from targets.gateway.config import RetryBudget
from targets.gateway.policies.attempts.retry_budget import Budget


def test_the_budget_is_20_percent_of_the_requests_of_10_seconds() -> None:
    budget = Budget(RetryBudget(share=0.2, ttl_s=10.0, reserve_per_s=0.0, active_min=1000))
    for _ in range(10):
        budget.deposit(0.0)
    assert [budget.withdraw(5.0, 0) is None for _ in range(3)] == [True, True, False]
    for _ in range(5):
        budget.deposit(6.0)
    assert budget.withdraw(6.0, 0) is None


def test_deposits_expire_after_ttl_s() -> None:
    budget = Budget(RetryBudget(reserve_per_s=0.0, active_min=1000))
    for _ in range(100):
        budget.deposit(0.0)
    assert budget.withdraw(9.9, 0) is None
    assert budget.withdraw(10.0, 0) is not None


def test_reserve_retries_need_no_deposit() -> None:
    budget = Budget(RetryBudget(reserve_per_s=1.0, ttl_s=10.0, active_min=1000))
    assert [budget.withdraw(0.0, 0) is None for _ in range(11)] == [True] * 10 + [False]
    assert budget.withdraw(10.0, 0) is None


def test_the_limit_on_active_retries_grows_with_requests_in_flight() -> None:
    budget = Budget(RetryBudget(active_min=3, active_share=0.2))
    assert [budget.withdraw(0.0, 5) is None for _ in range(4)] == [True, True, True, False]
    assert budget.withdraw(0.0, 20) is None
