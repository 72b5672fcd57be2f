"""Token buckets with reservations. Exact times."""

from __future__ import annotations

from targets.gateway.policies.overload.token_bucket import TokenBucket


def test_a_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    bucket.take(0.0, 100.0)
    assert bucket.level(4.0) == 40.0
    assert bucket.wait_s(4.0, 60.0) == 2.0
    assert bucket.wait_s(4.0, 40.0) == 0.0
    assert bucket.level(100.0) == 100.0


def test_a_full_bucket_can_be_overdrawn_and_refills_afterwards() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    assert bucket.wait_s(0.0, 250.0) == 0.0
    bucket.take(0.0, 250.0)
    assert bucket.wait_s(0.0, 50.0) == 20.0


def test_each_reservation_waits_for_the_ones_before_it() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    bucket.take(0.0, 100.0)
    waits = []
    for _ in range(3):
        waits.append(bucket.wait_s(0.0, 50.0))
        bucket.take(0.0, 50.0)
    assert waits == [5.0, 10.0, 15.0]
