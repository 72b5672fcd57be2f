"""Balancing by the least predicted work. Exact numbers."""

from __future__ import annotations

from random import Random

from targets.gateway.policies.balancing.least_work import LeastWork
from tests.support.candidates import SIZE, FakeCandidate

RNG = Random(1)


def test_least_work_compares_outstanding_work_and_not_request_counts() -> None:
    one_long, many_short = (
        FakeCandidate("one-long", 1, outstanding_work_s=20.0),
        FakeCandidate("many-short", 6, outstanding_work_s=1.8),
    )
    assert LeastWork().pick(0.0, [one_long, many_short], RNG, SIZE) is many_short
    assert LeastWork().load(0.0, one_long) == 20.0
    many_short.share = 0.1  # (1.8 + 0.305) / 0.1 > 20.305
    assert LeastWork().pick(0.0, [one_long, many_short], RNG, SIZE) is one_long
