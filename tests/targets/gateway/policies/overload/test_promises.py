"""Admission times promised to refused requests. Exact times."""

from __future__ import annotations

from targets.gateway.policies.overload.promises import Promises


def test_a_promise_is_due_after_its_wait_and_expires_after_keep_s() -> None:
    at = Promises(0.1, 30.0, 5.0)
    assert at.make(0.0, "a", 3.0, "paid")
    assert at.early_s(1.0, "a") == 2.0
    assert at.early_s(3.0, "a") == 0.0
    assert at.early_s(3.0, "b") is None
    assert at.take_expired(8.9) == []
    assert at.take_expired(9.0) == ["paid"]
    assert len(at) == 0


def test_a_redeemed_promise_does_not_expire() -> None:
    at = Promises(0.1, 30.0, 5.0)
    at.make(0.0, "a", 3.0, "paid")
    assert at.redeem("a") == "paid"
    assert at.take_expired(100.0) == []


def test_the_deposit_of_a_replaced_promise_is_returned() -> None:
    at = Promises(0.1, 30.0, 5.0)
    at.make(0.0, "a", 3.0, "first")
    at.make(1.0, "a", 3.0, "second")
    assert at.redeem("a") == "second"
    assert at.take_expired(100.0) == ["first"]
    assert len(at) == 0


def test_slots_of_a_lane_follow_one_another_at_the_trickle() -> None:
    at = Promises(0.1, 30.0, 5.0)
    assert at.slot_wait_s(0.0, 20.0) == 0.5
    assert at.make(0.0, "a", 0.5, None, lane=0)
    assert at.slot_wait_s(0.0, 20.0) == 1.0
    assert at.slot_wait_s(0.0, 20.0, lane=1) == 0.5
    assert at.slot_wait_s(10.0, 20.0) == 0.5
