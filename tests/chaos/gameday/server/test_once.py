"""An action is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from chaos.gameday.server.once import Answer, Once
from reports.shared.control_server import Refused


class Acts:
    """Counts what is done; waits while `gate` is closed."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def __call__(self, what: str) -> Callable[[], asyncio.Task[Answer]]:
        async def act() -> Answer:
            self.done.append(what)
            await self.gate.wait()
            return Answer(200, what.encode())

        return lambda: asyncio.ensure_future(act())


async def test_the_same_key_gets_the_first_answer_and_does_nothing() -> None:
    once, acts = Once(), Acts()
    first = await once.answer("a", acts("one"))
    assert await once.answer("a", acts("two")) == first == Answer(200, b"one")
    assert (await once.answer("b", acts("three"))).body == b"three"
    assert acts.done == ["one", "three"]


async def test_the_same_key_waits_for_the_first_that_is_under_way() -> None:
    once, acts = Once(), Acts()
    acts.gate.clear()
    tasks = [asyncio.ensure_future(once.answer("a", acts(str(number)))) for number in range(5)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    acts.gate.set()
    assert {answer.body for answer in await asyncio.gather(*tasks)} == {b"0"}
    assert acts.done == ["0"]


async def test_an_action_goes_on_when_who_sent_it_is_gone() -> None:
    once, acts = Once(), Acts()
    acts.gate.clear()
    sender = asyncio.ensure_future(once.answer("a", acts("one")))
    await asyncio.sleep(0)
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    acts.gate.set()
    assert (await once.answer("a", acts("two"))).body == b"one"
    assert acts.done == ["one"]


async def test_keys_are_bounded_and_the_oldest_done_ones_are_forgotten() -> None:
    once, acts = Once(keys=3), Acts()
    for number in range(10):
        await once.answer(f"k{number}", acts(str(number)))
    assert (await once.answer("k9", acts("again"))).body == b"9"
    assert (await once.answer("k0", acts("again"))).body == b"again"


async def test_too_many_actions_under_way_are_refused() -> None:
    once, acts = Once(under_way=2), Acts()
    acts.gate.clear()
    tasks = [asyncio.ensure_future(once.answer(key, acts(key))) for key in "ab"]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await once.answer("c", acts("c"))
    assert refused.value.status == 429
    acts.gate.set()
    await asyncio.gather(*tasks)
    assert acts.done == ["a", "b"]
