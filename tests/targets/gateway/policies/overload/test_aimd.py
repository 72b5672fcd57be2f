"""The AIMD limit. Exact values."""

from __future__ import annotations

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.aimd import AIMDLimit
from targets.gateway.policies.overload.gradient2 import Gradient2Limit


def feed(limit: Gradient2Limit | AIMDLimit, *waits: float, in_flight: int = 1000, dropped: bool = False) -> list[int]:
    places = []
    for waited in waits:
        limit.sample(0.0, waited, in_flight, dropped)
        places.append(limit.places)
    return places


def test_aimd_backs_off_on_drops_and_slow_samples_and_grows_while_used() -> None:
    limit = AIMDLimit(Concurrency(kind="aimd", initial=50))
    assert feed(limit, 1.0, 1.0) == [51, 52]
    assert feed(limit, 1.0, in_flight=20) == [52]
    assert feed(limit, 5.1) == [46]
    assert feed(limit, 1.0, dropped=True) == [41]
    assert feed(limit, *[1.0] * 40, dropped=True)[-1] == 20
