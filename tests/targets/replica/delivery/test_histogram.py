"""The histogram: buckets, sum and maximum."""

from __future__ import annotations

from targets.replica.delivery.histogram import Histogram


def test_a_bound_is_inclusive_and_the_last_bucket_is_infinity() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)
    assert histogram.counts == [2, 1, 1]
    assert (histogram.count, histogram.sum, histogram.max) == (4, 12.0, 9.0)
