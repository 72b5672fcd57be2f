"""What the streams of both APIs have in common: the transcript of what the client has, and their interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from reports.shared.tokens import tokens_in
from targets.gateway.api.sse import split

__all__ = ["AnswerStream", "Hold", "Transcript", "joined", "lowered"]

_COMPACT_AT = 64 * 1024  # bytes of events kept unparsed

_NO_LIMIT = 1 << 31


class Hold(Enum):
    """What happens to an event now."""

    HEAD = "until the first output"  # everything before it can still be retried
    OPEN = "passed on"
    PAUSE = "until the next event decides"  # a block ended: more text, or tools and the end
    TAIL = "until the answer is complete"  # tool calls and the finish


class Transcript:
    """The text that the client has. Events are kept as they are, and parsed when somebody asks or they are many."""

    __slots__ = ("_parse", "_raw", "_raw_bytes", "_text", "continuable")

    def __init__(self, parse: Callable[[bytes], tuple[str, bool]]) -> None:
        self._parse = parse  # events -> (their text, whether there was nothing but text)
        self._raw: list[bytes] = []
        self._raw_bytes = 0
        self._text: list[str] = []
        self.continuable = True

    def keep(self, events: bytes) -> None:
        self._raw.append(events)
        self._raw_bytes += len(events)
        if self._raw_bytes > _COMPACT_AT:
            self._drain()

    @property
    def text(self) -> str:
        self._drain()
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    def _drain(self) -> None:
        if self._raw:
            text, plain = self._parse(b"".join(self._raw))
            self._raw.clear()
            self._raw_bytes = 0
            self._text.append(text)
            self.continuable = self.continuable and plain


class AnswerStream(ABC):
    """One answer as its client sees it, whichever replicas make it.

    Feed it whole events of one attempt after another (`start` before each); it returns what the client gets now.

    `first_token`: this attempt has produced output. `passed_on`: the client has output, so only a migration can go on.
    `done`: the answer is complete, terminal event included. `error`: the upstream sent an error event; `corrupt`: or
    something that is no event of this API.
    `hold`: keep tool calls and the finish until the answer is complete, and a transcript; without it nothing can be
    continued.
    """

    corrupt: bool
    done: bool
    error: str | None
    first_token: bool
    passed_on: bool
    events: int  # that went to the client, of all attempts; about one a token
    limit: int | None  # output tokens asked for; None: no limit, or one that nobody can mean (the replica's to refuse)

    def __init__(self, limit: int | None, hold: bool) -> None:
        self.limit = limit if limit is not None and 0 < limit < _NO_LIMIT else None
        self.passed_on = False
        self.events = 0
        self._hold_tail = hold
        self._transcript = Transcript(self._parse)
        self._offset = 0
        self.start()

    def start(self) -> None:
        """A new attempt: what was held of the last one is gone."""
        self.first_token = False
        self.done = False
        self.error = None
        self.corrupt = False
        self._finished = False
        self._continues = self.passed_on
        self._offset = self.tokens if self.passed_on else 0
        self._state = Hold.OPEN if self.passed_on else Hold.HEAD
        self._held: list[bytes] = []
        self._started()

    @abstractmethod
    def feed(self, whole: bytes) -> bytes:
        """Whole events from the upstream."""

    @abstractmethod
    def continuation(self, raw: bytes) -> bytes:
        """The request body that goes on where the client's text ends; `raw` is the client's own."""

    @abstractmethod
    def closing(self) -> bytes | None:
        """The attempt died: the rest of the answer if nothing but its end is missing, else None."""

    @staticmethod
    @abstractmethod
    def error_event(message: str) -> bytes:
        """An error inside a stream, in the API's shape."""

    @staticmethod
    @abstractmethod
    def error_body(status: int, message: str) -> bytes:
        """An error instead of an answer, in the API's shape."""

    @property
    def tokens(self) -> int:
        """Output tokens that the client has (4 characters each)."""
        return tokens_in(self._transcript.text)

    @property
    def text(self) -> str:
        """The text that the client has."""
        return self._transcript.text

    @property
    def stuck_because(self) -> str | None:
        """Why this answer cannot be continued, or None."""
        if not self._hold_tail:
            return "migration is off"
        if not self._transcript.text or not self._transcript.continuable:
            return "the client has more than text"
        return None

    @abstractmethod
    def _take(self, event: bytes, out: list[bytes]) -> None: ...

    @abstractmethod
    def _started(self) -> None: ...

    @abstractmethod
    def _parse(self, events: bytes) -> tuple[str, bool]: ...

    def _take_all(self, whole: bytes, out: list[bytes]) -> None:
        for event in split(whole):
            if self.done or self.error is not None:
                return
            try:
                self._take(event, out)
            except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
                self.corrupt = True
                self.error = f"not an event of this API: {error}"

    def _all_sent(self) -> bool:
        return self.limit is not None and self._hold_tail and self.passed_on and self.tokens >= self.limit

    def _emit(self, event: bytes, out: list[bytes]) -> None:
        if self._held:
            for held in self._held:
                self._keep(held)
            out.extend(self._held)
            self._held.clear()
        self._keep(event)
        out.append(event)
        self.events += 1
        self.passed_on = True

    def _keep(self, events: bytes) -> None:
        if self._hold_tail:
            self._transcript.keep(events)

    def _complete(self, terminal: bytes, out: list[bytes]) -> None:
        self._emit(terminal, out)
        self.done = True


def lowered(fields: dict[str, msgspec.Raw], names: tuple[str, ...], by: int) -> dict[str, Any]:
    """The token limits among `fields`, less what the client has already; at least 1."""
    out: dict[str, Any] = {}
    for name in names:
        if name in fields:
            limit = msgspec.json.decode(fields[name])
            if isinstance(limit, int):
                out[name] = max(1, limit - by)
    return out


def joined(content: Any, text: str) -> Any:
    """The content of a message (text, or a list of parts) with `text` after it."""
    if isinstance(content, str):
        return content + text
    parts = list(content or ())
    if parts and parts[-1].get("type") == "text":
        return [*parts[:-1], {**parts[-1], "text": (parts[-1].get("text") or "") + text}]
    return [*parts, {"type": "text", "text": text}]
