"""Admission: token buckets per tenant, promises, load shedding by tier. Exact times."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.shared.tenancy import Account
from targets.gateway.config import Admission, Tier
from targets.gateway.policies.overload.admission import AdmissionControl, Refused, Ticket

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


def test_a_tenant_above_its_rate_is_admitted_after_its_retry_after() -> None:
    at = AdmissionControl(CONFIG)
    assert isinstance(ask(at, 0.0, tokens=800), Ticket)
    refused = ask(at, 0.0, tokens=500)
    assert refused == Refused(429, "acme (batch) exceeds 100 tokens/s", 3.0)
    early = ask(at, 1.0, tokens=500)
    assert early == Refused(429, "acme (batch) retried 2.0 s too early", 2.0)
    kept = ask(at, 3.0, tokens=500)
    assert isinstance(kept, Ticket)
    assert kept.promised


def test_many_refused_requests_are_all_admitted_after_their_retry_after() -> None:
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


def test_the_charge_of_an_unused_promise_is_refunded() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=1000)
    ask(at, 0.0, tokens=1000, key="gone")  # due at 10 s, expires at 16 s
    refused = ask(at, 15.9, tokens=1000, key="new")
    assert isinstance(refused, Refused)
    assert refused.retry_after_s == pytest.approx(4.1)
    assert isinstance(ask(at, 16.0, tokens=600, key="other"), Ticket)  # level -400 + 1000 refunded


def test_a_wait_above_longest_wait_s_is_not_promised_or_charged() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=5000)  # from a full bucket: the level is -4000
    refused = ask(at, 0.0, tokens=500)
    assert refused == Refused(429, "acme (batch) exceeds 100 tokens/s", 45.0, retriable=False)
    assert isinstance(ask(at, 45.0, tokens=500), Ticket)


def test_unused_tokens_are_refunded_and_the_estimate_adapts() -> None:
    at = AdmissionControl(CONFIG)
    first = ask(at, 0.0, tokens=100, max_tokens=900)
    assert isinstance(first, Ticket)
    assert first.charged == 1000.0
    at.settle_charge(0.0, first, 100, 90)
    second = ask(at, 0.0, tokens=100, max_tokens=700)
    assert isinstance(second, Ticket)
    assert second.charged == pytest.approx(100 + 700 * 0.91)  # 10 % was used: 1 + 0.1 x (0.1 - 1)


def test_a_request_that_was_not_served_is_fully_refunded() -> None:
    at = AdmissionControl(CONFIG)
    first = ask(at, 0.0, tokens=1000)
    assert isinstance(first, Ticket)
    at.settle_charge(0.0, first, 1000, 0)
    assert isinstance(ask(at, 0.0, tokens=1000), Ticket)


def test_the_lowest_tiers_are_shed_first() -> None:
    def admitted(load: float) -> list[str]:
        at = AdmissionControl(CONFIG)
        tiers = ("subscription", "pay_as_you_go", "batch")
        asks = [ask(at, 0.0, Account("t", tier), key=tier, load=load) for tier in tiers]
        return [answer.tier for answer in asks if isinstance(answer, Ticket)]

    assert admitted(0.79) == ["subscription", "pay_as_you_go", "batch"]
    assert admitted(0.8) == ["subscription", "pay_as_you_go"]
    assert admitted(1.0) == ["subscription"]
    assert admitted(9.0) == ["subscription"]


def test_a_shed_request_is_admitted_at_its_slot_at_any_load() -> None:
    at = AdmissionControl(CONFIG)
    refused = ask(at, 0.0, load=3.0, completions_per_s=20.0)
    assert refused == Refused(429, "acme (batch): shed at load 3.00 (threshold 0.8)", 0.5)
    kept = ask(at, 1.0, load=3.0, completions_per_s=20.0)
    assert isinstance(kept, Ticket)
    assert kept.promised


def test_unknown_tiers_get_the_default_tier_and_no_tenant_means_no_charge() -> None:
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


def test_each_tenant_has_its_own_bucket() -> None:
    at = AdmissionControl(CONFIG)
    ask(at, 0.0, tokens=1000)
    assert isinstance(ask(at, 0.0, Account("other", "batch"), tokens=1000), Ticket)


def test_at_most_max_tenants_are_kept() -> None:
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


def test_a_tier_with_a_rate_but_no_burst_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="go together"):
        Tier(tokens_per_s=1.0)


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.integers(1, 800)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_tenant_never_gets_more_than_its_rate_and_burst(arrivals: list[tuple[float, int]]) -> None:
    """By time `t` at most burst + rate x t + one request is admitted; each request that waits its time is admitted."""
    at = AdmissionControl(Admission(tiers=CONFIG.tiers, longest_wait_s=1e9))
    now, events = 0.0, []
    for n, (gap, tokens) in enumerate(arrivals):
        now += gap
        events.append((now, f"k{n}", tokens, False))
    admitted: list[tuple[float, int]] = []
    while events:
        events.sort()
        when, key, tokens, waited = events.pop(0)
        answer = ask(at, when, tokens=tokens, key=key)
        if isinstance(answer, Refused):
            assert not waited
            assert answer.retry_after_s is not None
            events.append((when + answer.retry_after_s, key, tokens, True))
        else:
            admitted.append((when, tokens))
    for end, _ in admitted:
        assert sum(tokens for when, tokens in admitted if when <= end) <= 1000 + 100 * end + 800 + 1e-3
