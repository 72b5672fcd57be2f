"""Searches bytes for what would tell a fault that is withheld: its kind, its id, the names of the exercise.

    search = Telltales(kinds=["slow_decode"], ids=["h1"], names=["lost-pool", "The pool that went away"])
    search.check("GET /api/state", body)          # AssertionError with each place
    search.in_bytes(where, data)                  # gzip and zlib are decompressed; also in HTML, JSON and URL escapes
    search.in_spans(where, request)               # an OTLP request: each text of it, with its path

A word of several parts is found in any spelling: slow_decode, slow-decode, "slow decode", slowDecode, SLOWDECODE. A
word of one part, as `kill`, is found as a word or as a part of an identifier, not inside another word (`skill`). An id
is found where no letter or digit is beside it, and not as a tag of HTML (`<h1>`). `brownout.fault` tells always.

Names of components tell nothing by themselves; `targets` are looked for only beside the word target. `offered`: phrases
that everybody is shown, such as the list of causes; inside them, nothing is found.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Found", "Telltales"]

_BETWEEN = r"[^A-Za-z0-9]{0,8}"
_ALWAYS = ("brownout.fault",)
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_SHOWN = 60


@dataclass(frozen=True)
class Found:
    """A telltale in `where`. `text`: what stands there, with some of what is around it."""

    word: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.word!r} in {self.text!r}"


class Telltales:
    """What to search for. See the module."""

    def __init__(
        self,
        *,
        kinds: Iterable[str] = (),
        ids: Iterable[str] = (),
        names: Iterable[str] = (),
        targets: Iterable[str] = (),
        offered: Iterable[str] = (),
    ) -> None:
        words = dict.fromkeys([*_ALWAYS, *kinds, *names])
        self._patterns = [(word, _pattern(word)) for word in words if _parts(word)]
        self._patterns += [(name, _id_pattern(name)) for name in dict.fromkeys(ids) if name]
        self._patterns += [(f"target {name}", _target_pattern(name)) for name in dict.fromkeys(targets) if name]
        phrases = sorted({phrase for phrase in offered if phrase}, key=len, reverse=True)
        inside = "|".join(re.escape(phrase) for phrase in phrases)
        self._offered = re.compile(rf"(?<![A-Za-z0-9])(?:{inside})(?![A-Za-z0-9])", re.I) if phrases else None

    def check(self, where: str, data: bytes | str) -> None:
        """Raises AssertionError where anything is found."""
        found = self.in_bytes(where, data)
        assert not found, "\n".join(map(str, found))

    def in_bytes(self, where: str, data: bytes | str) -> list[Found]:
        """Every telltale in a body, a stream, a file: a word once for each place and way of reading."""
        found: dict[Found, None] = {}
        for how, text in _readings(data):
            for one in self.in_text(where + how, text):
                found[one] = None
        return list(found)

    def in_text(self, where: str, text: str) -> list[Found]:
        """Every telltale in a text, taken as it is."""
        if self._offered is not None:
            text = self._offered.sub("\0", text)
        return [
            Found(word, where, text[max(0, match.start() - _SHOWN) : match.end() + _SHOWN])
            for word, pattern in self._patterns
            for match in pattern.finditer(text)
        ]

    def in_spans(self, where: str, request: bytes) -> list[Found]:
        """Every telltale in the texts of an OTLP request. Raises ValueError where it is none."""
        decoded = ExportTraceServiceRequest()
        try:
            decoded.ParseFromString(request)
        except DecodeError as error:
            raise ValueError(f"{where} is no ExportTraceServiceRequest: {error}") from None
        found = [one for path, text in _texts(decoded) for one in self.in_bytes(f"{where}{path}", text)]
        return found or self.in_bytes(where, request)  # fields that this version does not know


def _parts(word: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", word)
    return [part for part in re.split(r"[^A-Za-z0-9]+", apart) if part]


def _pattern(word: str) -> re.Pattern[str]:
    parts = _parts(word)
    if len(parts) > 1:
        return re.compile(_BETWEEN.join(parts), re.I)
    (part,) = parts
    lower, hump = re.escape(part.lower()), re.escape(part[0].upper() + part[1:].lower())
    return re.compile(
        rf"(?<![A-Za-z0-9])(?i:{lower})(?![A-Za-z])"  # kill, KILL, kill_one, kill2
        rf"|(?<=[a-z0-9]){hump}(?![a-z])"  # faultKill
        rf"|(?<![A-Za-z0-9])(?:{lower}|{hump})(?=[A-Z])"  # killOne, KillOne
    )


def _id_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?<!<)(?<!</){re.escape(name)}(?![A-Za-z0-9])", re.I)


def _target_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"targets?[^A-Za-z0-9]{{1,8}}{re.escape(name)}(?![A-Za-z0-9])", re.I)


def _readings(data: bytes | str) -> Iterator[tuple[str, str]]:
    """The ways to read some bytes, each with how it was read."""
    text = data if isinstance(data, str) else data.decode(errors="replace")
    yield "", text
    for how, other in (
        (" (as HTML)", html.unescape(text)),
        (" (as JSON)", _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)),
        (" (as a URL)", unquote_plus(text)),
    ):
        if other != text:
            yield how, other
    if isinstance(data, bytes) and (unpacked := _decompressed(data)) is not None:
        for how, other in _readings(unpacked):
            yield f" (decompressed){how}", other


def _decompressed(data: bytes) -> bytes | None:
    """Decompressed gzip or zlib, also where it was cut off. None: it is neither."""
    for begin, wbits in ((b"\x1f\x8b", 31), (b"\x78", 15)):
        if data.startswith(begin):
            try:
                return zlib.decompressobj(wbits).decompress(data)
            except zlib.error:
                continue
    return None


def _texts(message: Message, path: str = "") -> Iterator[tuple[str, str | bytes]]:
    """Every text in a message, with its path."""
    for field, value in message.ListFields():
        values = list(value) if isinstance(value, list) or hasattr(value, "append") else [value]
        for number, one in enumerate(values):
            place = f"{path}.{field.name}" + (f"[{number}]" if len(values) > 1 else "")
            if isinstance(one, Message):
                yield from _texts(one, place)
            elif isinstance(one, str | bytes) and not field.name.endswith(("trace_id", "span_id")):
                yield place, one
