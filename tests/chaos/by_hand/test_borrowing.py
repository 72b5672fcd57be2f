"""A run on the replicas of a stack that is up: whose they are, and what the stack answers."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.by_hand.borrowing import borrowed_replicas, check_lender, lender_of, replicas_digest
from chaos.by_hand.control import ControlSocket, Say
from chaos.by_hand.controls import LENT
from chaos.by_hand.runtime import Entry, announce, socket_path
from chaos.cli.up import _experiment
from chaos.supervision.identity import identify
from reports.shared.errors import TargetFailed, UserError

EXPERIMENT = replace(_experiment("multi-cloud", None, "chat", None, 0), first_port=19100)


class Lender:
    """A stack that is up, in a thread. `lend` answers."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.status: dict[str, Any] = {"lent_to": "", "faults": []}
        self.lent = threading.Event()
        self.returned = threading.Event()

    async def __call__(self, request: Mapping[str, Any], say: Say, gone: asyncio.Event) -> Mapping[str, Any]:
        if request["do"] == "status":
            return self.status
        if self.error is not None:
            raise self.error
        self.lent.set()
        say("waits until another command is done")
        say(LENT)
        await gone.wait()
        self.returned.set()
        return {}


@pytest.fixture
def lender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lender]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = Lender()
    stop: list[Callable[[], object]] = []
    ready = threading.Event()

    async def serve() -> None:
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(end.set))
        async with ControlSocket(socket_path(), made):
            announce(entry())
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield made
    stop[0]()
    thread.join()


def entry(stack: str = "multi-cloud", url: str = "") -> Entry:
    identity = identify(os.getpid())
    assert identity is not None
    return Entry(stack, "up", str(socket_path()), "/runs/1", stack, url, 19100, *identity)


def test_the_lender_has_the_ports_and_no_gateway_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert lender_of(EXPERIMENT) is None
    announce(entry(url="http://127.0.0.1:1"))
    assert lender_of(EXPERIMENT) is None
    announce(entry())
    assert lender_of(EXPERIMENT) is not None
    assert lender_of(replace(EXPERIMENT, first_port=19200)) is None
    assert lender_of(replace(EXPERIMENT, first_port=0)) is None


def test_another_stack_on_these_ports_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    announce(entry("other"))
    with pytest.raises(UserError, match="on port 19100 are the replicas of the stack other"):
        lender_of(EXPERIMENT)


def test_another_stack_of_the_same_name_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert EXPERIMENT.stack is not None
    announce(replace(entry(), replicas=replicas_digest(EXPERIMENT.stack)))
    assert lender_of(EXPERIMENT) is not None
    pool = EXPERIMENT.stack.pools[0]
    priced = replace(EXPERIMENT.stack, pools=(replace(pool, usd_per_hour=1.0), *EXPERIMENT.stack.pools[1:]))
    assert lender_of(replace(EXPERIMENT, stack=priced)) is not None
    larger = replace(EXPERIMENT.stack, pools=(replace(pool, replicas=3), *EXPERIMENT.stack.pools[1:]))
    with pytest.raises(UserError, match="on port 19100 are the replicas of a stack multi-cloud with other contents"):
        lender_of(replace(EXPERIMENT, stack=larger))


def test_without_a_lender_nothing_is_borrowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with borrowed_replicas(EXPERIMENT, "the run 1") as found:
        assert found is None


def test_replicas_are_given_back_at_the_end_of_the_block(lender: Lender) -> None:
    with borrowed_replicas(EXPERIMENT, "the run 1") as found:
        assert found is not None
        assert lender.lent.is_set()
        assert not lender.returned.is_set()
    assert lender.returned.wait(5)


def test_replicas_are_given_back_where_the_run_fails(lender: Lender) -> None:
    with pytest.raises(ZeroDivisionError), borrowed_replicas(EXPERIMENT, "the run 1"):
        raise ZeroDivisionError
    assert lender.returned.wait(5)


@pytest.mark.parametrize("error", [UserError("a fault is active"), TargetFailed("they do not end")])
def test_a_refusal_is_told_in_the_lenders_words(lender: Lender, error: Exception) -> None:
    lender.error = error
    with pytest.raises(type(error), match=str(error)), borrowed_replicas(EXPERIMENT, "the run 1"):
        pass


def test_a_run_is_refused_before_its_record_where_nothing_can_be_lent(lender: Lender) -> None:
    check_lender(entry())
    lender.status = {"lent_to": "the run 9", "faults": []}
    with pytest.raises(UserError, match="are lent to the run 9"):
        check_lender(entry())
    lender.status = {"lent_to": "", "faults": [{"id": "h1"}]}
    with pytest.raises(UserError, match="brownout revert --at multi-cloud"):
        check_lender(entry())
