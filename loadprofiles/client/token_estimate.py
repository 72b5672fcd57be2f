"""Estimates the tokens of an answer from its text, for targets that do not report them.

An estimate counts 4 characters as one token, and each character of a script without letters (Chinese, Japanese,
Korean; emoji) as one token. Each chunk that brought something has at least one token, because a target sends no less.
Simulated answers have exactly 4 characters per token, so for them the count is exact.
"""

from __future__ import annotations

from reports.shared.tokens import TOKEN_CHARS

__all__ = ["FRAME_CLOSE", "FRAME_OPEN", "TokenCounter", "weight_of"]

FRAME_OPEN, FRAME_CLOSE = '{"input":"', '"}'
"""The JSON around the tokens of a simulated tool call. It counts as no token."""

_FIRST_WIDE = "\u2e80"


def weight_of(text: str) -> int:
    """The size of a text in quarters of a token."""
    if text.isascii():
        return len(text)
    return sum(TOKEN_CHARS if char >= _FIRST_WIDE else 1 for char in text)


class TokenCounter:
    """Counts the tokens of an answer chunk by chunk, so that the chunks add up to the answer's total, rounded up."""

    def __init__(self) -> None:
        self._weight = 0
        self._tokens = 0

    def add(self, weight: int) -> int:
        """The tokens of a chunk of this size (quarters of a token): at least 1, or 0 for a size of 0."""
        if weight <= 0:
            return 0
        total = self._weight = self._weight + weight
        tokens = -(-total // TOKEN_CHARS) - self._tokens
        if tokens < 1:
            tokens = 1
        self._tokens += tokens
        return tokens
