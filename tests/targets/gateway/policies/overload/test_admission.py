"""Admission: buckets, promises, shedding by tier. Exact times."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.shared.tenancy import Account
from targets.gateway.config import Admission, Tier
from targets.gateway.policies.overload.admission import AdmissionControl, Refused, Ticket
from targets.gateway.policies.overload.promises import Promises
from targets.gateway.policies.overload.rate import EventRate
from targets.gateway.policies.overload.token_bucket import TokenBucket

ACME = Account("acme", "batch")
CONFIG = Admission(
    tiers={
        "subscription": Tier(),
        "pay_as_you_go": Tier(shed_at=1.0),
        "batch": Tier(tokens_per_s=100.0, burst_tokens=1000.0, shed_at=0.8),
    },
    trickle=0.1,
    longest_wait_s=30.0,
    keep_s=5.0,
)


def ask(
    at: AdmissionControl, now: float, account: Account = ACME, tokens: int = 500, key: str = "k", **more: Any
) -> Ticket | Refused:
    asked = {"max_tokens": 0, "load": 0.0, "completions_per_s": 10.0, **more}
    return at.admit(now, account, tokens, asked["max_tokens"], asked["load"], asked["completions_per_s"], lambda: key)


def test_a_rate_forgets() -> None:
    rate = EventRate(5.0)
    assert rate.per_s(0.0) == 0.0
    for n in range(1000):
        rate.count(n / 10)
    assert rate.per_s(99.9) == pytest.approx(10.0, rel=0.02)
    assert rate.per_s(104.9) == pytest.approx(10.0 / 2.71828, rel=0.02)


def test_a_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    bucket.take(0.0, 100.0)
    assert bucket.level(4.0) == 40.0
    assert bucket.wait_s(4.0, 60.0) == 2.0
    assert bucket.wait_s(4.0, 40.0) == 0.0
    assert bucket.level(100.0) == 100.0


def test_more_than_the_burst_can_be_taken_from_a_full_bucket_and_is_paid_off_afterwards() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    assert bucket.wait_s(0.0, 250.0) == 0.0
    bucket.take(0.0, 250.0)
    assert bucket.wait_s(0.0, 50.0) == 20.0


def test_reservations_follow_one_another() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    bucket.take(0.0, 100.0)
    waits = []
    for _ in range(3):
        waits.append(bucket.wait_s(0.0, 50.0))
        bucket.take(0.0, 50.0)
    assert waits == [5.0, 10.0, 15.0]


def test_a_promise_is_kept_from_its_time_on_and_lapses() -> None:
    at = Promises(0.1, 30.0, 5.0)
    assert at.make(0.0, "a", 3.0, "paid")
    assert at.early_s(1.0, "a") == 2.0
    assert at.early_s(3.0, "a") == 0.0
    assert at.early_s(3.0, "b") is None
    assert at.take_expired(8.9) == []
    assert at.take_expired(9.0) == ["paid"]
    assert len(at) == 0


def test_a_promise_that_was_redeemed_does_not_lapse() -> None:
    at = Promises(0.1, 30.0, 5.0)
    at.make(0.0, "a", 3.0, "paid")
    assert at.redeem("a") == "paid"
    assert at.take_expired(100.0) == []


def test_what_was_paid_with_a_promise_that_another_replaced_comes_back() -> None:
    at = Promises(0.1, 30.0, 5.0)
    at.make(0.0, "a", 3.0, "first")
    at.make(1.0, "a", 3.0, "second")
    assert at.redeem("a") == "second"
    assert at.take_expired(100.0) == ["first"]
    assert len(at) == 0


def test_slots_follow_one_another_at_the_trickle() -> None:
    at = Promises(0.1, 30.0, 5.0)
    assert at.slot_wait_s(0.0, 20.0) == 0.5
    assert at.make(0.0, "a", 0.5, None, lane=0)
    assert at.slot_wait_s(0.0, 20.0) == 1.0
    assert at.slot_wait_s(0.0, 20.0, lane=1) == 0.5
    assert at.slot_wait_s(10.0, 20.0) == 0.5


def test_a_tenant_above_its_rate_is_told_when_its_place_is_free_and_gets_in_then() -> None:
    at = AdmissionControl(CONFIG)
    assert isinstance(ask(at, 0.0, tokens=800), Ticket)
    refused = ask(at, 0.0, tokens=500)
    assert refused == Refused(429, "acme (batch) exceeds 100 tokens/s", 3.0)
    early = ask(at, 1.0, tokens=500)
    assert early == Refused(429, "acme (batch) retried 2.0 s too early", 2.0)
    kept = ask(at, 3.0, tokens=500)
    assert isinstance(kept, Ticket)
    assert kept.promised


def test_everyone_who_obeys_gets_in_however_many_were_refused_at_once() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=1000)
    waits = {}
    for n in range(5):
        refused = ask(at, 0.0, tokens=400, key=f"k{n}")
        assert isinstance(refused, Refused)
        assert refused.retry_after_s is not None
        waits[n] = refused.retry_after_s
    assert waits == {0: 4.0, 1: 8.0, 2: 12.0, 3: 16.0, 4: 20.0}
    for n, wait_s in waits.items():
        assert isinstance(ask(at, wait_s, tokens=400, key=f"k{n}"), Ticket)


def test_a_promise_that_nobody_came_back_for_is_refunded() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=1000)
    ask(at, 0.0, tokens=1000, key="gone")  # due at 10 s, lapses at 16 s
    refused = ask(at, 15.9, tokens=1000, key="new")
    assert isinstance(refused, Refused)
    assert refused.retry_after_s == pytest.approx(4.1)
    assert isinstance(ask(at, 16.0, tokens=600, key="other"), Ticket)  # -400, and the 1000 that came back


def test_a_wait_that_is_too_long_is_not_promised_and_charges_nothing() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=5000)  # from a full bucket: 4000 below zero
    refused = ask(at, 0.0, tokens=500)
    assert refused == Refused(429, "acme (batch) exceeds 100 tokens/s", 45.0, retriable=False)
    assert isinstance(ask(at, 45.0, tokens=500), Ticket)


def test_what_was_not_used_comes_back_and_the_estimate_learns() -> None:
    at = AdmissionControl(CONFIG)
    first = ask(at, 0.0, tokens=100, max_tokens=900)
    assert isinstance(first, Ticket)
    assert first.charged == 1000.0
    at.settle_charge(0.0, first, 100, 90)
    second = ask(at, 0.0, tokens=100, max_tokens=700)
    assert isinstance(second, Ticket)
    assert second.charged == pytest.approx(100 + 700 * 0.91)  # 10 % was used: 1 + 0.1 x (0.1 - 1)


def test_a_request_that_was_not_served_costs_nothing() -> None:
    at = AdmissionControl(CONFIG)
    first = ask(at, 0.0, tokens=1000)
    assert isinstance(first, Ticket)
    at.settle_charge(0.0, first, 1000, 0)
    assert isinstance(ask(at, 0.0, tokens=1000), Ticket)


def test_tiers_are_shed_from_the_bottom() -> None:
    def admitted(load: float) -> list[str]:
        at = AdmissionControl(CONFIG)
        tiers = ("subscription", "pay_as_you_go", "batch")
        asks = [ask(at, 0.0, Account("t", tier), key=tier, load=load) for tier in tiers]
        return [answer.tier for answer in asks if isinstance(answer, Ticket)]

    assert admitted(0.79) == ["subscription", "pay_as_you_go", "batch"]
    assert admitted(0.8) == ["subscription", "pay_as_you_go"]
    assert admitted(1.0) == ["subscription"]
    assert admitted(9.0) == ["subscription"]


def test_one_that_was_shed_gets_in_at_its_slot_whatever_the_load() -> None:
    at = AdmissionControl(CONFIG)
    refused = ask(at, 0.0, load=3.0, completions_per_s=20.0)
    assert refused == Refused(429, "acme (batch): shed at load 3.00 (threshold 0.8)", 0.5)
    kept = ask(at, 1.0, load=3.0, completions_per_s=20.0)
    assert isinstance(kept, Ticket)
    assert kept.promised


def test_unknown_tiers_are_the_default_tiers_and_nobody_named_is_charged_to_nobody() -> None:
    config = Admission(tiers={"paid": Tier(), "free": Tier(tokens_per_s=1.0, burst_tokens=10.0)}, default_tier="free")
    at = AdmissionControl(config)
    first, second = ask(at, 0.0, Account("x", "gold"), tokens=10), ask(at, 0.0, Account("x", "gold"), tokens=10)
    assert isinstance(first, Ticket)
    assert first.tier == "free"
    assert isinstance(second, Refused)
    for _ in range(3):
        unnamed = ask(at, 0.0, Account(), tokens=10**6, key="u")
        assert isinstance(unnamed, Ticket)
        assert unnamed.charged == 0.0


def test_one_tenants_use_is_not_anothers() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=1000)
    assert isinstance(ask(at, 0.0, Account("other", "batch"), tokens=1000), Ticket)


def test_only_so_many_tenants_are_remembered() -> None:
    at = AdmissionControl(Admission(tiers=CONFIG.tiers, max_tenants=2))
    for name in ("a", "b", "c", "a"):
        assert isinstance(ask(at, 0.0, Account(name, "batch"), tokens=1000), Ticket)


@pytest.mark.parametrize(
    "wrong",
    [
        {"default_tier": "gold"},
        {"trickle": 0.0},
        {"longest_wait_s": 0.0},
    ],
)
def test_a_wrong_configuration_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Admission(**wrong)


def test_a_rate_needs_a_burst() -> None:
    with pytest.raises(ValueError, match="go together"):
        Tier(tokens_per_s=1.0)


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.integers(1, 800)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_tenant_that_obeys_never_gets_more_than_its_rate_and_burst(arrivals: list[tuple[float, int]]) -> None:
    """What is admitted by `t` is at most burst + rate x t + one request; and who obeys always gets in."""
    at = AdmissionControl(Admission(tiers=CONFIG.tiers, longest_wait_s=1e9))
    now, events = 0.0, []
    for n, (gap, tokens) in enumerate(arrivals):
        now += gap
        events.append((now, f"k{n}", tokens, False))
    admitted: list[tuple[float, int]] = []
    while events:
        events.sort()
        when, key, tokens, obeyed = events.pop(0)
        answer = ask(at, when, tokens=tokens, key=key)
        if isinstance(answer, Refused):
            assert not obeyed
            assert answer.retry_after_s is not None
            events.append((when + answer.retry_after_s, key, tokens, True))
        else:
            admitted.append((when, tokens))
    for end, _ in admitted:
        assert sum(tokens for when, tokens in admitted if when <= end) <= 1000 + 100 * end + 800 + 1e-3
