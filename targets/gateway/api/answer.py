"""What the response streams of both APIs have in common: their interface, and the transcript of what the client has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from reports.shared.tokens import tokens_in
from targets.gateway.api.sse import split

__all__ = ["AnswerStream", "Hold", "Transcript", "append_text", "reduced_limits"]

_COMPACT_AT = 64 * 1024  # bytes of events kept unparsed
_IMPLAUSIBLE_LIMIT = 1 << 31  # tokens


class Hold(Enum):
    """Whether events are held back now, and until when."""

    HEAD = "until the first output"  # a failure before it can be retried
    OPEN = "passed on"
    PAUSE = "until the next event decides"  # a block ended: text or tools may follow
    TAIL = "until the response is complete"  # tool calls and the finish


class Transcript:
    """The text that the client has. Events are stored raw, and parsed on demand or when they exceed 64 KiB."""

    __slots__ = ("_parse", "_raw", "_raw_bytes", "_text", "continuable")

    def __init__(self, parse: Callable[[bytes], tuple[str, bool]]) -> None:
        self._parse = parse  # events -> (their text, whether they contain only text)
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
    """One response as its client sees it, whichever replicas produce it.

    Call `start` before each attempt, then `feed` with its whole events; `feed` returns the bytes for the client.

    `first_token`: this attempt has produced output. `passed_on`: the client has output, so that only a migration can
    continue. `done`: the response is complete, terminal event included. `error`: the upstream sent an error event, or
    (`corrupt`) something that is not an event of this API. `hold`: hold back tool calls and the finish until the
    response is complete, and keep a transcript; required for migration.
    """

    corrupt: bool
    done: bool
    error: str | None
    first_token: bool
    passed_on: bool
    events: int  # sent to the client, of all attempts; about one per token
    limit: int | None  # maximum output tokens; None: no limit, or an implausible one (left to the replica to reject)

    def __init__(self, limit: int | None, hold: bool) -> None:
        self.limit = limit if limit is not None and 0 < limit < _IMPLAUSIBLE_LIMIT else None
        self.passed_on = False
        self.events = 0
        self._hold_tail = hold
        self._transcript = Transcript(self._parse)
        self._offset = 0
        self.start()

    def start(self) -> None:
        """A new attempt starts: drops the held events of the last one."""
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
        """Takes whole events from the upstream; returns the bytes for the client."""

    @abstractmethod
    def continuation(self, raw: bytes) -> bytes:
        """Returns the request body that continues where the client's text ends. `raw`: the client's own body."""

    @abstractmethod
    def closing(self) -> bytes | None:
        """The attempt failed: returns the rest of the response if only its end is missing, else None."""

    @staticmethod
    @abstractmethod
    def error_event(message: str) -> bytes:
        """Returns an error event for a stream, in the format of the API."""

    @staticmethod
    @abstractmethod
    def error_body(status: int, message: str) -> bytes:
        """Returns the body of an error response, in the format of the API."""

    @property
    def tokens(self) -> int:
        """Output tokens that the client has (4 characters each)."""
        return tokens_in(self._transcript.text)

    @property
    def text(self) -> str:
        """The text that the client has."""
        return self._transcript.text

    @property
    def not_continuable_because(self) -> str | None:
        """Why this response cannot be continued, or None."""
        if not self._hold_tail:
            return "migration is off"
        if not self._transcript.text or not self._transcript.continuable:
            return "the client has more than text, which cannot be continued"
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


def reduced_limits(fields: dict[str, msgspec.Raw], names: tuple[str, ...], by: int) -> dict[str, Any]:
    """Returns the token limits among `fields`, reduced by what the client already has; at least 1."""
    out: dict[str, Any] = {}
    for name in names:
        if name in fields:
            limit = msgspec.json.decode(fields[name])
            if isinstance(limit, int):
                out[name] = max(1, limit - by)
    return out


def append_text(content: Any, text: str) -> Any:
    """Returns the content of a message (text, or a list of parts) with `text` appended."""
    if isinstance(content, str):
        return content + text
    parts = list(content or ())
    if parts and parts[-1].get("type") == "text":
        return [*parts[:-1], {**parts[-1], "text": (parts[-1].get("text") or "") + text}]
    return [*parts, {"type": "text", "text": text}]
