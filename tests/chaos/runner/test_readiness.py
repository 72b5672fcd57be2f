"""Waiting for processes: one that has ended is not waited for."""

from __future__ import annotations

import asyncio

import pytest

from chaos.runner.readiness import ProcessEnded, unless_ended


class Processes:
    """Those that have ended, with their status; the others go on."""

    def __init__(self, **ended: int) -> None:
        self.ended = ended

    async def wait(self, name: str) -> int:
        if name not in self.ended:
            await asyncio.Event().wait()
        return self.ended[name]


async def never() -> None:
    await asyncio.Event().wait()


async def serves() -> str:
    return "ready"


@pytest.mark.parametrize(("status", "how"), [(1, "exit code 1"), (-9, "killed by signal 9")])
async def test_a_process_that_has_ended_is_not_waited_for(status: int, how: str) -> None:
    with pytest.raises(ProcessEnded, match=rf"b exited before it was ready \({how}\)") as caught:
        await unless_ended(Processes(b=status), ["a", "b"], never())
    assert caught.value.name == "b"


async def test_the_wait_ends_when_the_processes_are_ready() -> None:
    assert await unless_ended(Processes(), ["a", "b"], serves()) == "ready"
