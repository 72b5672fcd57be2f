"""The interface of an API to the server: a parser of requests, a renderer of answers and of errors. Pure, in bytes."""

from __future__ import annotations

from typing import Protocol

from targets.replica.api.conversation import ParsedRequest, PlannedAnswer

__all__ = ["Api", "CacheUsage", "Renderer", "RequestError"]


class RequestError(ValueError):
    """A request that is rejected with `status`. `code` is the machine-readable code of the API, if any."""

    def __init__(self, message: str, *, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class CacheUsage(Protocol):
    """What the prefix cache saved; known after the engine has admitted the request."""

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens found in the prefix cache."""


class Renderer(Protocol):
    """Renders one answer, as server-sent events or as one JSON body. Token 0 is the first one of the answer's key."""

    def head(self, usage: CacheUsage) -> bytes:
        """The events before the first token."""

    def events(self, start: int, stop: int) -> bytes:
        """The events of tokens `start` to `stop`, one per token, and those that open a part of the answer."""

    def tail(self, usage: CacheUsage) -> bytes:
        """The events after the last token, including the terminal one."""

    def body(self, usage: CacheUsage) -> bytes:
        """The whole answer as JSON."""

    def error(self, message: str) -> bytes:
        """An error in place of the answer: an event of a stream, or a JSON body."""

    def replace_tokens(self, start: int, tokens: str) -> None:
        """Replace the tokens from `start` on by `tokens`. The answer keeps its length."""


class Api(Protocol):
    """One API of a replica."""

    def parse(self, body: bytes) -> ParsedRequest:
        """Parses a request. Raises `RequestError`."""

    def renderer(self, request: ParsedRequest, answer: PlannedAnswer, model: str, unix_s: int) -> Renderer:
        """Returns the renderer of `answer`, which is created at `unix_s`."""

    def error(self, status: int, message: str, code: str | None = None) -> bytes:
        """The body of an error response, in the format of the API."""
