"""Simulated token streams that a client can verify.

Token *i* of a simulated answer is a function of the answer's key and *i* alone, whichever replica produces it. So a
client can detect each token that is lost, duplicated, or from another answer.

A token is exactly 4 ASCII characters without a space: 3 bytes of SHAKE-128(key), in URL-safe base64. SHAKE is an
extendable-output function, so a shorter stream is always a prefix of a longer one.

The key of an answer is the last marker `[session S/agent turn N]` in a message that is not the assistant's. Without a
marker it is a hash of the canonical text without a trailing assistant message (made by the replica, see `text_key`).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import blake2b, shake_128
from typing import NamedTuple

__all__ = ["TOKEN_CHARS", "Marker", "find_marker", "marker_text", "text_key", "token_stream", "tokens_in"]

TOKEN_CHARS = 4
"""Characters per token, also for estimating the tokens of any text."""


class Marker(NamedTuple):
    """Identifies one model call of one agent of one session. `turn` counts the agent's calls from 0."""

    session: str
    agent: str
    turn: int

    @property
    def key(self) -> str:
        """The key of the call's token stream."""
        return f"{self.session}/{self.agent}#{self.turn}"


_MARKER = re.compile(r"\[session ([\w.:-]+)/([\w.:-]+) turn (\d+)\]")


def marker_text(marker: Marker) -> str:
    """The marker as text for the end of a message: ASCII that JSON does not escape."""
    return f"[session {marker.session}/{marker.agent} turn {marker.turn}]"


def find_marker(text: str) -> Marker | None:
    """The last marker in `text`, or None."""
    at = text.rfind("[session ")
    while at >= 0:
        found = _MARKER.match(text, at)
        if found:
            return Marker(found[1], found[2], int(found[3]))
        at = text.rfind("[session ", 0, at)
    return None


def text_key(canonical_text: str) -> str:
    """The key of an answer to a conversation without a marker."""
    return "text:" + blake2b(canonical_text.encode(), digest_size=16).hexdigest()


def token_stream(key: str, count: int) -> str:
    """The first `count` tokens of the answer named `key`, as one string of 4 x `count` characters."""
    return urlsafe_b64encode(shake_128(key.encode()).digest(3 * count)).decode("ascii") if count > 0 else ""


def tokens_in(text: str) -> int:
    """Tokens of any text, rounded up: the simulated tokenizer."""
    return -(-len(text) // TOKEN_CHARS)
