"""Calls of the load's client to a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from loadprofiles.sessions.session import Call, Message
from reports.shared.tokens import Marker, marker_text

__all__ = ["TOKENS", "Conversation", "calling"]

TOKENS = 12
"""Tokens that a call asks for."""


@contextmanager
def calling(url: str, model: str, **options: Any) -> Iterator[Client]:
    """A client without retries, whose waits for bytes take at most 30 s."""
    client = Client(ClientOptions(url, model, **{"retries": "none", "timeout_s": 30.0, **options}))
    try:
        yield client
    finally:
        client.close()


class Conversation:
    """One agent's conversation: every call sends all of it."""

    def __init__(self, client: Client, session: str = "s-1") -> None:
        self._client = client
        self._context = AgentContext(session, "main", None, 7)
        self._turn = 0
        self.messages: list[Message] = [Message("system", "You write small letters.")]

    def ask(
        self,
        text: str = "Hello",
        *,
        stream: bool = True,
        tokens: int = TOKENS,
        on_bytes: Callable[[], None] | None = None,
    ) -> CallRecord:
        """Asks, keeps a good answer in the conversation, and returns the call's record.

        `on_bytes` is called whenever bytes arrive.
        """
        marker = Marker(self._context.session, "main", self._turn)
        self.messages.append(Message("user", f"{text} {marker_text(marker)}"))
        call = Call("main", self._turn, tuple(self.messages), tokens, False, marker, stream)
        context = self._context if on_bytes is None else _Watched(self._context, on_bytes)
        record = self._client.call(call, context, now_s())
        if record.answer is not None and record.ok:
            self.messages.append(Message("assistant", record.answer.text))
        self._turn += 1
        return record


class _Watched(AgentContext):
    """A context that also tells of every arrival of bytes."""

    def __init__(self, context: AgentContext, told: Callable[[], None]) -> None:
        super().__init__(context.session, context.agent, context.tenant, context.seed)
        self._told = told

    def on_bytes(self, at_s: float) -> None:
        super().on_bytes(at_s)
        self._told()
