"""Time that a test controls: the mock clock and the event loop in virtual time."""

from __future__ import annotations

import asyncio
import time

import pytest

from chaos.testing.mock_clock import MockClock, VirtualTimeLoop, run_in_virtual_time


def test_a_mock_clock_moves_only_when_it_is_advanced() -> None:
    clock = MockClock(10.0)
    assert (clock(), clock()) == (10.0, 10.0)
    assert clock.advance(2.5) == clock() == 12.5
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


async def test_its_sleep_advances_it_without_waiting() -> None:
    clock = MockClock()
    begun = time.monotonic()
    await clock.sleep(3600)
    assert clock() == 3600
    assert time.monotonic() - begun < 5


def test_sleeps_and_timeouts_pass_immediately_and_in_order() -> None:
    async def scenario() -> list[tuple[float, str]]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        seen: list[tuple[float, str]] = []

        async def after(seconds: float, what: str) -> None:
            await asyncio.sleep(seconds)
            seen.append((loop.time() - begun, what))

        await asyncio.gather(after(60, "late"), after(1, "early"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 30)
        return [*seen, (loop.time() - begun, "timeout")]

    before = time.monotonic()
    assert run_in_virtual_time(scenario()) == [(1, "early"), (60, "late"), (90, "timeout")]
    assert time.monotonic() - before < 5


def test_a_coroutine_that_never_ends_is_cancelled_at_the_limit() -> None:
    async def forever() -> None:
        while True:
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        run_in_virtual_time(forever(), limit_s=100)


def test_a_deadlock_raises_an_error() -> None:
    loop = VirtualTimeLoop()
    with pytest.raises(RuntimeError, match="deadlock"):
        loop.run_until_complete(asyncio.Event().wait())
    loop.close()
