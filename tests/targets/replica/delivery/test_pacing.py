"""When a slowed stream's tokens and bytes go out, by a clock of the test's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from targets.replica.delivery.pacing import Dribble, Pace


def test_a_gap_keeps_tokens_apart() -> None:
    pace = Pace(10.0, 2, gap_s=1.0)
    assert (pace.allowed(10.0), pace.next_at(10.0)) == (2, math.inf)
    pace.made(5, 10.5)
    assert [pace.allowed(at) for at in (10.4, 10.5, 11.4, 11.5, 12.5, 99.0)] == [2, 3, 3, 4, 5, 5]
    assert (pace.next_at(10.5), pace.next_at(12.5)) == (11.5, math.inf)
    pace.made(6, 20.0)  # slower than the gap: at once
    assert pace.next_at(19.0) == 20.0


def test_a_factor_stretches_time_from_the_beginning() -> None:
    pace = Pace(10.0, 0, factor=3.0)
    for count, at in enumerate((10.0, 10.1, 10.3), 1):
        pace.made(count, at)
    assert [pace.next_at(at) for at in (9.9, 10.0, 10.3)] == [10.0, 10.0 + 3 * (10.1 - 10.0), 10.0 + 3 * (10.3 - 10.0)]


def test_tokens_made_before_the_beginning_are_not_early() -> None:
    pace = Pace(10.0, 0, factor=3.0, gap_s=0.5)
    pace.made(2, 9.0)
    assert (pace.next_at(9.0), pace.next_at(10.0)) == (10.0, 10.5)


class Timers:
    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[..., object]]] = []

    def later(self, delay: float, callback: Callable[..., object], *args: Any) -> None:
        self.calls.append((delay, callback))

    def fire(self) -> None:
        self.calls.pop(0)[1]()


def test_bytes_dribble_and_ends_are_told_in_order() -> None:
    out: list[object] = []
    timers = Timers()
    dribble = Dribble(out.append, timers.later, 2, 0.5)
    dribble.push(b"abc", lambda: out.append("end of abc"))
    dribble.push(b"de")
    assert out == [b"ab"]
    timers.fire()
    assert out == [b"ab", b"c", "end of abc"]
    timers.fire()
    assert out[-1] == b"de"
    assert timers.calls == []
    dribble.push(b"f")
    assert out[-1] == b"f"


def test_a_release_sends_all_at_once_and_its_timer_finds_nothing() -> None:
    out: list[object] = []
    timers = Timers()
    dribble = Dribble(out.append, timers.later, 1, 0.5)
    dribble.push(b"abc", lambda: out.append("end"))
    dribble.release()
    timers.fire()
    assert out == [b"a", b"bc", "end"]
