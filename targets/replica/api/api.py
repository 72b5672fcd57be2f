"""What an API is to the server: a parser of requests, a writer of answers and of errors. All pure, all bytes."""

from __future__ import annotations

from typing import Protocol

from targets.replica.api.conversation import Answer, Ask

__all__ = ["Api", "Renderer", "RequestError", "Usage"]


class RequestError(ValueError):
    """A request that is refused with status 400 (or `status`). `code` is the API's machine-readable word, if any."""

    def __init__(self, message: str, *, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Usage(Protocol):
    """What an answer cost; known once the engine has admitted the request."""

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens found in the prefix cache."""


class Renderer(Protocol):
    """Writes one answer, as server-sent events or as one JSON body. Tokens are counted from the key's first one."""

    def head(self, usage: Usage) -> bytes:
        """The events before the first token."""

    def events(self, start: int, stop: int) -> bytes:
        """The events of tokens `start` to `stop`, one a token (and those that open a part of the answer)."""

    def tail(self, usage: Usage) -> bytes:
        """The events after the last token, the terminal one included."""

    def body(self, usage: Usage) -> bytes:
        """The whole answer as JSON."""

    def error(self, message: str) -> bytes:
        """An error in the answer's place: an event of a stream, or a JSON body."""

    def spoil(self, start: int, tokens: str) -> None:
        """From token `start` on the answer says `tokens` instead, as many as are left."""


class Api(Protocol):
    """One API that a replica speaks."""

    def parse(self, body: bytes) -> Ask:
        """What a request asks for. Raises `RequestError`."""

    def renderer(self, ask: Ask, answer: Answer, model: str, unix_s: int) -> Renderer:
        """The writer of `answer`, which begins at `unix_s`."""

    def error(self, status: int, message: str, code: str | None = None) -> bytes:
        """An error's body in the API's own shape."""
