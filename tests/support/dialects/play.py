"""Plays a dialect through the load's client over loopback, and compares the record with what is expected."""

from __future__ import annotations

import socket
import time

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from loadprofiles.sessions.session import Call, Message
from reports.shared.attributes import Outcome
from reports.shared.tokens import Marker, marker_text
from tests.support.dialects.case import Close, Dialect, Step
from tests.support.scripted_server import Script, ScriptedServer, reset

__all__ = ["KEY", "call_of", "play", "problems", "script"]

KEY = "plain-Secret.of.the.run-77"
"""The API key of every call. No message may contain it."""

_MARKER = Marker("s-9", "main", 0)


def script(steps: tuple[Step, ...]) -> Script:
    """A server that takes these steps for one request."""

    def run(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for step in steps:
            if isinstance(step, bytes):
                sock.sendall(step)
            elif isinstance(step, float):
                time.sleep(step)
            elif step is Close.RST:
                reset(sock)
            else:
                sock.shutdown(socket.SHUT_RDWR)

    return run


def call_of(dialect: Dialect) -> Call:
    """The call that is made."""
    return Call("main", 0, (Message("user", "Tell me. " + marker_text(_MARKER)),), 64, True, _MARKER, dialect.stream)


def play(dialect: Dialect) -> CallRecord:
    """The record of one call."""
    with ScriptedServer(*map(script, dialect.sends)) as server:
        options = ClientOptions(
            server.url, "lab-1", api=dialect.api, retries=dialect.retries, timeout_s=3.0, api_key=KEY
        )
        client = Client(options)
        try:
            return client.call(call_of(dialect), AgentContext("s-9", "main", None, 7), now_s())
        finally:
            client.close()


def problems(dialect: Dialect, record: CallRecord) -> list[str]:
    """What is wrong with the record; empty if it is right."""
    answer, judgement = record.answer, record.judgement
    checks: list[tuple[str, object, object]] = [
        ("text", answer.text if answer else None, dialect.text),
        ("tools", tuple(call.arguments for call in answer.tool_calls) if answer else None, dialect.tools),
        ("tokens", record.output_tokens, dialect.tokens),
        ("estimated", record.tokens_estimated, dialect.estimated),
        ("terminals", answer.terminals if answer else None, dialect.terminals),
        ("pieces", len(answer.chunk_times_s) if answer else None, dialect.pieces),
        ("finish", answer.finish if answer else None, dialect.finish),
    ]
    found = [f"{what}: {got!r}, not {want!r}" for what, got, want in checks if want is not None and got != want]
    for what, got, want in (
        ("outcome", record.outcome.value, dialect.outcome.value),
        ("attempts", record.attempts, dialect.attempts),
        ("status", record.status, dialect.status),
    ):
        if got != want:
            found.append(f"{what}: {got!r}, not {want!r} ({record.message})")
    if dialect.says not in record.message:
        found.append(f"message: {record.message!r} without {dialect.says!r}")
    if judgement is not None and judgement.tokens_lost is not None:
        found.append(f"claims {judgement.tokens_lost} lost tokens without a proof")
    if answer is not None and (answer.text or answer.tool_calls) and record.ttft_s is None:
        found.append("no TTFT, although something was received")
    return found + _message_problems(record)


def _message_problems(record: CallRecord) -> list[str]:
    message = record.message
    found = []
    if (record.outcome is Outcome.OK) != (message == ""):
        found.append(f"{record.outcome.value} with the message {message!r}")
    if len(message) > 200 or not message.isprintable():
        found.append(f"not one short line: {message!r}")
    if any(KEY[:n] in message for n in range(6, len(KEY))):
        found.append(f"the key is in the message: {message!r}")
    return found
