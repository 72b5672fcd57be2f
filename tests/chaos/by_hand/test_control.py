"""The control socket: wrong requests, clients that leave, handlers that fail, stacks that do not answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chaos.by_hand import control
from chaos.by_hand.control import ControlSocket, Say, ask, exchange
from chaos.by_hand.runtime import Entry
from chaos.supervision.identity import identify
from reports.shared.errors import TargetFailed, UserError


def entry(path: Path) -> Entry:
    identity = identify(os.getpid())
    assert identity is not None
    return Entry("small", "up", str(path), "/runs/1", "small", "", 0, *identity)


class Handler:
    """Answers each request with itself; `do` chooses what it does instead."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.go_on = asyncio.Event()
        self.waits = asyncio.Event()

    async def __call__(self, request: Mapping[str, Any], say: Say, gone: asyncio.Event) -> Mapping[str, Any]:
        match request.get("do"):
            case "mistake":
                raise UserError("that is wrong\n    do this")
            case "failure":
                raise TargetFailed("it broke")
            case "crash":
                raise ZeroDivisionError("nobody foresaw it")
            case "wait":
                say("waiting")
                self.waits.set()
                await self.go_on.wait()
            case "lend":
                say("lent")
                await gone.wait()
                self.left.set()
        return {"asked": dict(request)}


async def send(path: Path, data: bytes, *, end: bool = False) -> list[dict[str, Any]]:
    """What a client gets for these bytes."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    if end:
        writer.write_eof()
    received = b""
    with contextlib.suppress(ConnectionResetError):
        received = await reader.read()
    writer.close()
    return [json.loads(line) for line in received.splitlines()]


NO_REQUEST = [{"ok": False, "error": "this is no request", "code": 2}]


async def test_a_request_is_taken_then_answered(tmp_path: Path) -> None:
    async with ControlSocket(tmp_path / "s", Handler()):
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
        answers = await send(tmp_path / "s", b'{"do": "status"}\n')
        assert answers == [{"taken": True}, {"ok": True, "asked": {"do": "status"}}]
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "data",
    [b"\n", b"garbage\n", b"\x00\xff\n", b"[]\n", b"7\n", b"[" * 100_000 + b"\n", b'{"a":' * 50_000 + b"\n"],
    ids=["empty", "text", "bytes", "list", "number", "deep list", "deep object"],
)
async def test_what_is_no_request_is_refused(tmp_path: Path, data: bytes) -> None:
    async with ControlSocket(tmp_path / "s", Handler()):
        assert await send(tmp_path / "s", data) == NO_REQUEST
        assert (await send(tmp_path / "s", b'{"do": "status"}\n'))[-1]["ok"]


async def test_a_line_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MAX_LINE_BYTES", 1000)
    async with ControlSocket(tmp_path / "s", Handler()):
        assert await send(tmp_path / "s", b'"' + b"a" * 3000 + b'"\n') == NO_REQUEST


@pytest.mark.parametrize("end", [True, False], ids=["end", "silence"])
async def test_half_a_line_is_refused_in_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bool
) -> None:
    monkeypatch.setattr(control, "REQUEST_WITHIN_S", 0.1)
    async with ControlSocket(tmp_path / "s", Handler()):
        assert await send(tmp_path / "s", b'{"do": "sta', end=end) == NO_REQUEST


async def test_a_client_that_leaves_does_not_stop_what_it_asked_for(tmp_path: Path) -> None:
    handler = Handler()
    async with ControlSocket(tmp_path / "s", handler):
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        writer.write(b'{"do": "wait"}\n')
        await handler.waits.wait()
        writer.close()
        assert (await send(tmp_path / "s", b'{"do": "status"}\n'))[-1]["ok"]
        handler.go_on.set()
        assert (await send(tmp_path / "s", b'{"do": "status"}\n'))[-1]["ok"]


async def test_a_second_client_is_answered_while_another_waits(tmp_path: Path) -> None:
    handler = Handler()
    async with ControlSocket(tmp_path / "s", handler):
        waiting = asyncio.create_task(send(tmp_path / "s", b'{"do": "wait"}\n'))
        await handler.waits.wait()
        assert (await send(tmp_path / "s", b'{"do": "status"}\n'))[-1]["ok"]
        handler.go_on.set()
        assert [sorted(answer) for answer in await waiting] == [["taken"], ["say"], ["asked", "ok"]]


async def test_a_handler_learns_that_its_client_has_left(tmp_path: Path) -> None:
    handler = Handler()
    async with ControlSocket(tmp_path / "s", handler):
        _, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        writer.write(b'{"do": "lend"}\n')
        writer.close()
        async with asyncio.timeout(5):
            await handler.left.wait()


async def test_the_end_of_the_stack_ends_what_waits(tmp_path: Path) -> None:
    handler = Handler()
    async with ControlSocket(tmp_path / "s", handler):
        waiting = asyncio.create_task(send(tmp_path / "s", b'{"do": "wait"}\n'))
        await handler.waits.wait()
    assert [sorted(answer) for answer in await waiting] == [["taken"], ["say"]]


async def test_another_user_gets_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_user_of", lambda writer: os.getuid() + 1)
    async with ControlSocket(tmp_path / "s", Handler()):
        assert await send(tmp_path / "s", b'{"do": "status"}\n') == []


async def test_the_socket_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(tmp_path / "s"))
    async with ControlSocket(tmp_path / "s", Handler()):
        assert (await send(tmp_path / "s", b'{"do": "status"}\n'))[-1]["ok"]


async def test_a_path_that_is_too_long_for_a_socket_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be made"):
        async with ControlSocket(tmp_path / ("s" * 120), Handler()):
            pass


async def test_a_folder_that_cannot_be_written_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(UserError, match="cannot be made: Read-only file system"):
        async with ControlSocket(tmp_path / "s", Handler()):
            pass


async def asked(path: Path, do: str) -> Any:
    return await asyncio.to_thread(ask, entry(path), {"do": do})


async def test_the_stacks_words_become_the_commands_error(tmp_path: Path) -> None:
    async with ControlSocket(tmp_path / "s", Handler()):
        with pytest.raises(UserError, match="that is wrong\n    do this"):
            await asked(tmp_path / "s", "mistake")
        with pytest.raises(TargetFailed, match="it broke"):
            await asked(tmp_path / "s", "failure")
        with pytest.raises(TargetFailed, match="could not do it: ZeroDivisionError"):
            await asked(tmp_path / "s", "crash")
        assert (await asked(tmp_path / "s", "status"))["asked"] == {"do": "status"}


async def test_what_is_said_meanwhile_reaches_the_person_who_waits(tmp_path: Path) -> None:
    handler, said = Handler(), list[str]()
    handler.go_on.set()
    async with ControlSocket(tmp_path / "s", handler):
        await asyncio.to_thread(ask, entry(tmp_path / "s"), {"do": "wait"}, said.append)
    assert said == ["waiting"]


async def test_closing_an_exchange_closes_its_connection(tmp_path: Path) -> None:
    handler = Handler()
    async with ControlSocket(tmp_path / "s", handler):
        messages = exchange(entry(tmp_path / "s"), {"do": "lend"})
        assert [await asyncio.to_thread(next, messages) for _ in range(2)] == [{"taken": True}, {"say": "lent"}]
        assert not handler.left.is_set()
        messages.close()
        async with asyncio.timeout(5):
            await handler.left.wait()


def test_a_stack_that_hangs_is_named_in_a_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "TAKEN_WITHIN_S", 0.1)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(TargetFailed, match=r"small \(process \d+\) does not answer in time"):
            ask(entry(tmp_path / "s"), {"do": "status"})


def test_a_stack_that_ends_before_it_answers_is_named(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def end() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.close()

        ending = threading.Thread(target=end)
        ending.start()
        with pytest.raises(TargetFailed, match="small has ended before it answered"):
            ask(entry(tmp_path / "s"), {"do": "status"})
        ending.join()


def test_a_stack_without_a_socket_takes_no_commands(tmp_path: Path) -> None:
    with pytest.raises(TargetFailed, match="takes no commands"):
        ask(entry(tmp_path / "s"), {"do": "status"})


def test_an_answer_that_is_no_json_is_named(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\n")
            connection.close()

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(TargetFailed, match="cannot be asked"):
            ask(entry(tmp_path / "s"), {"do": "status"})
        answering.join()
