"""Outlier ejection. Exact times."""

from __future__ import annotations

import pytest

from targets.gateway.config import Ejection
from targets.gateway.policies.health.ejection import OutlierEjection
from tests.support.candidates import upstream

NAMES = [f"r{n}" for n in range(6)]


FLEET = [upstream(name) for name in NAMES]


CONFIG = Ejection(consecutive_failures=3, base_s=3.0, max_s=8.0, max_share=0.67, sweep_s=1000.0)


def fail(ejection: OutlierEjection, now: float, name: str, times: int = 3) -> str | None:
    return [ejection.record(now, name, True) for _ in range(times)][-1]


def test_consecutive_failures_eject_and_a_success_resets_the_count() -> None:
    ejection = OutlierEjection(CONFIG, FLEET)
    assert fail(ejection, 0.0, "r0", 2) is None
    ejection.record(0.0, "r0", False)
    assert fail(ejection, 0.0, "r0", 2) is None
    assert fail(ejection, 0.0, "r0", 1) == "3 consecutive failures; ejected for 3 s"
    assert ejection.ejected("r0")
    assert ejection.until("r0") == 3.0


def test_the_ejection_time_grows_with_the_count_up_to_max_s() -> None:
    ejection = OutlierEjection(CONFIG, FLEET)
    now = 0.0
    for rest_s in (3.0, 6.0, 8.0, 8.0):
        fail(ejection, now, "r0")
        assert ejection.until("r0") == now + rest_s
        assert ejection.advance(now + rest_s - 0.001) == ([], [])
        assert ejection.advance(now + rest_s) == (["r0"], [])
        now += rest_s


def test_the_ejection_count_falls_with_each_healthy_sweep() -> None:
    ejection = OutlierEjection(Ejection(consecutive_failures=3, base_s=3.0, sweep_s=10.0, max_share=0.67), FLEET)
    fail(ejection, 0.0, "r0")
    ejection.advance(3.0)
    ejection.advance(10.0)
    fail(ejection, 11.0, "r0")
    assert ejection.until("r0") == 14.0


@pytest.mark.parametrize(("share", "most"), [(0.67, 4), (0.1, 1), (1.0, 6)])
def test_at_most_max_share_is_ejected_but_one_always_may_be(share: float, most: int) -> None:
    ejection = OutlierEjection(Ejection(consecutive_failures=1, max_share=share), FLEET)
    for name in NAMES:
        ejection.record(0.0, name, True)
    assert sum(ejection.ejected(name) for name in NAMES) == most


def test_readmit_ends_an_ejection_early() -> None:
    ejection = OutlierEjection(CONFIG, FLEET)
    fail(ejection, 0.0, "r0")
    assert ejection.readmit("r0")
    assert not ejection.ejected("r0")
    assert not ejection.readmit("r0")


def test_a_success_rate_far_below_the_others_ejects_at_the_sweep() -> None:
    config = Ejection(consecutive_failures=1000, base_s=3.0, sweep_s=10.0, max_share=0.5)
    ejection = OutlierEjection(config, FLEET)
    for name in NAMES:
        for n in range(100):
            ejection.record(1.0, name, name == "r3" and n % 2 == 0)
    assert ejection.advance(9.9) == ([], [])
    back, out = ejection.advance(10.0)
    # mean 11/12, sigma 0.186: the limit is 0.917 - 1.9 x 0.186 = 0.563
    assert (back, out) == ([], [("r3", "success rate 50%, below the limit of 56%; ejected for 3 s")])


def test_too_few_requests_or_hosts_eject_no_replica() -> None:
    config = Ejection(consecutive_failures=1000, sweep_s=10.0)
    for names, requests in ((NAMES[:4], 100), (NAMES, 99)):
        ejection = OutlierEjection(config, [upstream(name) for name in names])
        for name in names:
            for _ in range(requests):
                ejection.record(1.0, name, name == "r3")
        assert ejection.advance(10.0) == ([], [])
