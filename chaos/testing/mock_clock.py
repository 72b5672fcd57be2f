"""Time that a test controls: a clock for pure objects, and an event loop for asyncio code.

    clock = MockClock()                       # for an object that is given a clock or the time: a policy, a breaker
    breaker = Breaker(config, clock=clock)
    clock.advance(30)

    result = run_in_virtual_time(scenario())  # asyncio code: every sleep and timeout passes immediately

Neither sleeps, so a test of minutes takes milliseconds and has exact times. (The same idea: trio's `MockClock`.)
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

__all__ = ["MockClock", "VirtualTimeLoop", "run_in_virtual_time"]

T = TypeVar("T")

LIMIT_S: Final = 600.0
"""How much virtual time `run_in_virtual_time` gives a coroutine before it is cancelled."""


class MockClock:
    """A monotonic clock that moves only by `advance` and `sleep`. `clock()` returns the time, seconds."""

    def __init__(self, now_s: float = 0.0) -> None:
        self._now_s = now_s

    def __call__(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> float:
        """Advance by `seconds`, 0 or more; returns the new time. Raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not go back: {seconds:g} s")
        self._now_s += seconds
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        """Advance by `seconds`: a replacement of `asyncio.sleep` for code under test."""
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)


class _VirtualSelector(selectors.DefaultSelector):
    """Advances the clock instead of waiting."""

    now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: every task waits, and no timer is set")
        self.now_s += max(0.0, timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer as soon as no task is ready to run.

    Only for code without real I/O: sockets need real time.
    """

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


def run_in_virtual_time(main: Coroutine[Any, Any, T], limit_s: float = LIMIT_S) -> T:
    """Run a coroutine on a `VirtualTimeLoop` and return its result.

    Raises TimeoutError after `limit_s` seconds of virtual time, RuntimeError on a deadlock, and what `main` raises.
    """

    async def limited() -> T:
        async with asyncio.timeout(limit_s):
            return await main

    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(limited())
    finally:
        loop.close()
