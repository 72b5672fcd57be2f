"""One logical call of the load's client against a scripted server."""

from __future__ import annotations

from typing import Any

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from loadprofiles.sessions.session import Call, Message
from reports.shared.tokens import Marker, marker_text, token_stream
from tests.support.scripted_server import Script, ScriptedServer

MARKER = Marker("s-1", "main", 0)


TOKENS = token_stream(MARKER.key, 20)


PIECES = [TOKENS[i : i + 4] for i in range(0, 80, 4)]


def a_call(*, stream: bool = True, messages: tuple[Message, ...] = (), tools: bool = False, turn: int = 0) -> Call:
    """A call of 20 tokens."""
    given = messages or (Message("system", "You are."), Message("user", "Hello " + marker_text(MARKER)))
    return Call("main", turn, given, 20, tools, Marker("s-1", "main", turn), stream)


def play(
    *scripts: Script, stream: bool = True, retries: str = "none", api: str = "openai", **options: Any
) -> CallRecord:
    """Plays one call of `Client` against the scripts; returns its record."""
    with ScriptedServer(*scripts) as server:
        client = Client(ClientOptions(server.url, "m", api=api, retries=retries, provable=True, **options))
        try:
            return client.call(a_call(stream=stream), AgentContext("s-1", "main", None, 7), now_s())
        finally:
            client.close()
