"""Session affinity with bounded load."""

from __future__ import annotations

from collections import Counter

import pytest

from targets.gateway.config import Affinity
from targets.gateway.policies.balancing.affinity import Ring, SessionAffinity
from tests.support.candidates import FakeCandidate

NAMES = [f"r{n}" for n in range(6)]


def test_the_ring_distributes_keys_about_evenly() -> None:
    ring = Ring(NAMES)
    counts = Counter(ring.order(f"session-{n}")[0] for n in range(3000))
    assert set(counts) == set(NAMES)
    assert all(350 < count < 650 for count in counts.values())


def test_without_a_replica_only_its_own_keys_move() -> None:
    before, after = Ring(NAMES), Ring(NAMES[1:])
    for n in range(500):
        order = before.order(f"s{n}")
        expected = order[0] if order[0] != "r0" else order[1]
        assert after.order(f"s{n}")[0] == expected


def test_the_walk_skips_replicas_that_are_no_candidates() -> None:
    affinity = SessionAffinity(Affinity(), NAMES)
    order = Ring(NAMES).order("s")
    assert affinity.walk("s", [FakeCandidate(name) for name in NAMES]).name == order[0]
    assert affinity.walk("s", [FakeCandidate(name) for name in NAMES if name not in order[:2]]).name == order[2]


@pytest.mark.parametrize(
    ("in_flight", "replicas", "cap"), [(0, 6, 1), (11, 6, 3), (23, 6, 5), (47, 6, 10), (47, 4, 15)]
)
def test_the_cap_is_epsilon_above_the_fair_share(in_flight: int, replicas: int, cap: int) -> None:
    assert SessionAffinity(Affinity(epsilon=0.25, min_cap=1), NAMES).cap(in_flight, replicas) == cap
    assert SessionAffinity(Affinity(epsilon=0.25, min_cap=8), NAMES).cap(in_flight, replicas) == max(8, cap)


def test_a_home_is_the_replica_that_served_the_session_last() -> None:
    affinity = SessionAffinity(Affinity(idle_s=100.0), NAMES)
    assert affinity.home(0.0, "s") is None
    affinity.served(0.0, "s", "r1", 100)
    affinity.served(50.0, "s", "r2", 150)
    home = affinity.home(150.0, "s")
    assert home is not None
    assert (home.replica, home.cached_tokens) == ("r2", 150)
    affinity.forget_replica("r2")
    assert home.cached_tokens == 0
    assert affinity.home(150.1, "s") is None


def test_the_oldest_homes_are_dropped_first() -> None:
    affinity = SessionAffinity(Affinity(max_sessions=2), NAMES)
    affinity.served(0.0, "a", "r0", 1)
    affinity.served(1.0, "b", "r1", 1)
    affinity.served(2.0, "a", "r0", 2)
    affinity.served(3.0, "c", "r2", 1)
    assert [affinity.home(3.0, key) is not None for key in "abc"] == [True, False, True]
    assert len(affinity) == 2
