"""A rate with a burst."""

from __future__ import annotations

from chaos.gameday.server.bucket import Bucket


def test_a_burst_passes_then_one_for_each_interval() -> None:
    bucket = Bucket(per_s=2.0, burst=3)
    assert [bucket.wait_s(10.0) for _ in range(4)] == [0, 0, 0, 1]
    assert bucket.wait_s(10.5) == 0
    assert bucket.wait_s(10.5) == 1
    assert [bucket.wait_s(99.0) for _ in range(4)] == [0, 0, 0, 1]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    bucket = Bucket(per_s=0.1, burst=1)
    assert (bucket.wait_s(0.0), bucket.wait_s(0.0), bucket.wait_s(4.0)) == (0, 10, 6)


def test_a_clock_that_goes_back_gives_nothing_twice() -> None:
    bucket = Bucket(per_s=1.0, burst=1)
    assert bucket.wait_s(5.0) == 0
    assert bucket.wait_s(0.0) > 0
    assert bucket.wait_s(5.0) > 0
    assert bucket.wait_s(6.0) == 0
