"""The send times of a slowed stream's tokens and bytes, with a fake clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from targets.replica.delivery.pacing import TokenPace, TrickleWriter


def test_a_gap_is_the_least_time_between_tokens() -> None:
    pace = TokenPace(10.0, 2, gap_s=1.0)
    assert (pace.allowed(10.0), pace.next_at(10.0)) == (2, math.inf)
    pace.add_produced(5, 10.5)
    assert [pace.allowed(at) for at in (10.4, 10.5, 11.4, 11.5, 12.5, 99.0)] == [2, 3, 3, 4, 5, 5]
    assert (pace.next_at(10.5), pace.next_at(12.5)) == (11.5, math.inf)
    pace.add_produced(6, 20.0)  # produced later than the gap: sent at once
    assert pace.next_at(19.0) == 20.0


def test_a_factor_multiplies_the_time_since_the_start() -> None:
    pace = TokenPace(10.0, 0, factor=3.0)
    for count, at in enumerate((10.0, 10.1, 10.3), 1):
        pace.add_produced(count, at)
    assert [pace.next_at(at) for at in (9.9, 10.0, 10.3)] == [10.0, 10.0 + 3 * (10.1 - 10.0), 10.0 + 3 * (10.3 - 10.0)]


def test_tokens_produced_before_the_start_are_not_sent_early() -> None:
    pace = TokenPace(10.0, 0, factor=3.0, gap_s=0.5)
    pace.add_produced(2, 9.0)
    assert (pace.next_at(9.0), pace.next_at(10.0)) == (10.0, 10.5)


class Timers:
    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[..., object]]] = []

    def later(self, delay: float, callback: Callable[..., object], *args: Any) -> None:
        self.calls.append((delay, callback))

    def fire(self) -> None:
        self.calls.pop(0)[1]()


def test_bytes_trickle_and_callbacks_are_called_in_order() -> None:
    out: list[object] = []
    timers = Timers()
    writer = TrickleWriter(out.append, timers.later, 2, 0.5)
    writer.write(b"abc", lambda: out.append("abc written"))
    writer.write(b"de")
    assert out == [b"ab"]
    timers.fire()
    assert out == [b"ab", b"c", "abc written"]
    timers.fire()
    assert out[3:] == [b"de"]
    assert timers.calls == []
    writer.write(b"f")
    assert out[4:] == [b"f"]


def test_a_flush_writes_all_at_once_and_the_timer_finds_nothing() -> None:
    out: list[object] = []
    timers = Timers()
    writer = TrickleWriter(out.append, timers.later, 1, 0.5)
    writer.write(b"abc", lambda: out.append("written"))
    writer.flush()
    timers.fire()
    assert out == [b"a", b"bc", "written"]
