"""Puts the head of a response right, where servers write it in ways that the vendors' SDKs accept and our parser not.

Lines that end in LF alone, folded headers, and a length that is given twice are read (RFC 9112, sections 2.2, 5.2 and
6.3; RFC 9110, section 8.6). Lengths that differ stay, and the parser refuses them. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import re

__all__ = ["MAX_HEAD_BYTES", "HeadReader"]

MAX_HEAD_BYTES = 256 * 1024
"""A longer head is passed on as it is."""

_END = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"\r?\n")
_STRANGE = re.compile(rb"(?<!\r)\n|\r\n[ \t]")
_LENGTH = re.compile(rb"content-length[ \t]*:", re.IGNORECASE)
_CHUNKED = re.compile(rb"^transfer-encoding[ \t]*:.*\bchunked\b", re.IGNORECASE | re.MULTILINE)
_INTERIM = re.compile(rb"HTTP/1\.\d 1\d\d\b")


class HeadReader:
    """Passes the bytes of one response on, its head put right. Interim responses (1xx) have a head each."""

    def __init__(self) -> None:
        self._head: bytes | None = b""

    def feed(self, data: bytes) -> bytes:
        """The bytes for the parser. Holds a head back until it is complete, or the data has ended (b"")."""
        if self._head is None:
            return data
        held, passed = self._head + data, b""
        while self._head is not None:
            found = _END.search(held)
            hopeless = not b"HTTP/".startswith(held[:5]) or len(held) > MAX_HEAD_BYTES
            if found is None and data and not hopeless:
                self._head = held
                return passed
            if found is None:
                self._head = None
                return passed + held
            head, held = held[: found.end()], held[found.end() :]
            self._head = b"" if _INTERIM.match(head) else None
            passed += _right(head)
        return passed + held


def _right(head: bytes) -> bytes:
    lengths = len(_LENGTH.findall(head))
    if not _STRANGE.search(head) and lengths < 2 and not (lengths and (b"," in head or _CHUNKED.search(head))):
        return head
    lines: list[bytes] = []
    for line in _LINE.split(head.rstrip(b"\r\n")):
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += b" " + line.strip()
        else:
            lines.append(line)
    length_lines = [line for line in lines if _LENGTH.match(line)]
    lengths_given = {part.strip() for line in length_lines for part in line.partition(b":")[2].split(b",")}
    others = [line for line in lines if not _LENGTH.match(line)]
    if _CHUNKED.search(b"\n".join(others)):
        length_lines = []  # the chunks say where the body ends
    elif len(lengths_given) == 1:
        length_lines = [b"Content-Length: " + lengths_given.pop()]
    return b"\r\n".join([*others, *length_lines]) + b"\r\n\r\n"
