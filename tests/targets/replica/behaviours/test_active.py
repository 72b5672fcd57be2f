"""All active behaviours of a replica: leases, combined limits, periodic actions, delays and answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from targets.control import BehaviourError
from targets.replica.behaviours.active import ActiveBehaviours
from targets.replica.behaviours.base import CannedAnswer
from targets.replica.behaviours.request_context import RequestContext


class Timer:
    def __init__(self, at: float, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.at, self.callback, self.args = at, callback, args

    def cancel(self) -> None:
        self.at = math.inf


class Fakes:
    """A clock with its timers, and an engine that records what is done to it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []
        self.limits: dict[str, Any] = {}
        self.preempted: list[tuple[float, int]] = []
        self.active = ActiveBehaviours(clock=lambda: self.now, call_later=self.call_later, engine=self)

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> Timer:
        self.timers.append(Timer(self.now + delay, callback, args))
        return self.timers[-1]

    def advance(self, until: float) -> None:
        while due := [timer for timer in self.timers if timer.at <= until]:
            timer = min(due, key=lambda each: each.at)
            self.now, timer.at = timer.at, math.inf
            timer.callback(*timer.args)
        self.now = until

    def limit(self, *, prefill: float, decode: float, kv: float, max_sequences: int | None) -> None:
        self.limits = {"prefill": prefill, "decode": decode, "kv": kv, "max_sequences": max_sequences}

    def preempt(self, count: int) -> None:
        self.preempted.append((round(self.now, 3), count))

    def flush_cache(self) -> None:
        raise AssertionError("no behaviour here flushes the cache")

    def put(self, fault_id: str, kind: str, lease_s: float = 10.0, **params: Any) -> None:
        self.active.put(fault_id, kind, params, share=None, seed=7, lease_s=lease_s)


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


def test_a_behaviour_ends_with_its_lease_unless_it_is_renewed(fakes: Fakes) -> None:
    fakes.put("renewed", "stall", lease_s=5)
    fakes.put("expired", "stall", lease_s=5)
    fakes.advance(3)
    assert fakes.active.renew(["renewed", "unknown"]) == ["renewed"]
    fakes.advance(7)
    assert {name: entry["expires_in_s"] for name, entry in fakes.active.listing().items()} == {"renewed": 1.0}
    fakes.advance(9)
    assert fakes.active.listing() == {}


def test_limits_of_several_behaviours_are_combined_and_reverted(fakes: Fakes) -> None:
    fakes.put("f1", "slow_decode", factor=2)
    fakes.put("f2", "slow_decode", factor=3)
    fakes.put("f3", "shrink_kv", lost=0.75)
    fakes.put("f4", "shrink_batch", max_sequences=8)
    fakes.put("f5", "shrink_batch", max_sequences=4)
    assert fakes.limits == {"prefill": 1.0, "decode": 6.0, "kv": 0.25, "max_sequences": 4}
    for number in (1, 3, 5):
        fakes.active.remove(f"f{number}")
    assert fakes.limits == {"prefill": 1.0, "decode": 3.0, "kv": 1.0, "max_sequences": 8}
    fakes.active.close()
    assert fakes.limits == {"prefill": 1.0, "decode": 1.0, "kv": 1.0, "max_sequences": None}


def test_a_periodic_action_is_repeated_until_its_behaviour_ends(fakes: Fakes) -> None:
    fakes.put("f1", "preemption_storm", lease_s=0.25, ms=100, count=2)
    fakes.advance(1)
    assert fakes.preempted == [(0.0, 2), (0.1, 2), (0.2, 2)]


def test_delays_add_up_and_the_first_answer_is_used(fakes: Fakes) -> None:
    fakes.put("f1", "latency", ms=100)
    fakes.put("f2", "http_error", status=500)
    fakes.put("f3", "http_error", status=429)
    fakes.put("f4", "latency", ms=200)
    context = RequestContext("s1/main#0")
    delay_s, answer = fakes.active.on_request(context)
    assert delay_s == pytest.approx(0.3)
    assert answer == CannedAnswer(500)
    assert [hit.fault_id for hit in context.hits] == ["f1", "f2", "f4"]
    assert fakes.active.hits == {"f1": 1, "f2": 1, "f3": 0, "f4": 1}


def test_an_unknown_kind_is_rejected_with_the_known_ones(fakes: Fakes) -> None:
    with pytest.raises(BehaviourError, match=r"unknown behaviour 'gremlin'; known: latency, "):
        fakes.put("f1", "gremlin")
    assert fakes.active.listing() == {}
    assert fakes.active.remove("f1") == 0
