"""Compares an answer with its expected token stream.

Every token of a simulated answer is known in advance (`reports.shared.tokens`). So each received token is either the
expected one in its place, or evidence of loss, duplication or splicing (tokens of another answer).
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.shared.tokens import TOKEN_CHARS, tokens_in

__all__ = ["Integrity", "compare"]

_EXACT_PROOF = 2
"""An exact answer of fewer tokens (4 characters each) proves nothing."""
_CONSECUTIVE_PROOF = 4
"""This many expected tokens (4 characters each) directly one after another prove that they were meant."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """The result of a comparison, in tokens.

    `holes`: expected tokens that are missing although a later one arrived. `missing_tail`: expected tokens after the
    last one that arrived. `duplicated`: tokens that had already arrived. `spliced`: tokens that do not belong to this
    answer, or are not in their place. `consecutive`: the most expected tokens that arrived directly one after another.
    """

    expected: int
    received: int
    holes: int = 0
    missing_tail: int = 0
    duplicated: int = 0
    spliced: int = 0
    consecutive: int = 0

    @property
    def exact(self) -> bool:
        """Exactly the expected tokens were received."""
        return not (self.holes or self.missing_tail or self.duplicated or self.spliced)

    @property
    def is_prefix(self) -> bool:
        """The received tokens are a prefix of the expected stream, possibly all of it."""
        return not (self.holes or self.duplicated or self.spliced)

    @property
    def proves(self) -> bool:
        """The target sends tokens that can be checked: the answer is exact, or has many expected tokens in order.

        A real model's text contains single expected tokens by chance: 4,000 tokens of prose contain one in a quarter of
        all cases. Several directly one after another do not occur by chance.
        """
        return (self.exact and self.received >= _EXACT_PROOF) or self.consecutive >= _CONSECUTIVE_PROOF


def compare(expected: str, received: str) -> Integrity:
    """Compares a received text with its expected token stream (`reports.shared.tokens.token_stream`)."""
    wanted = len(expected) // TOKEN_CHARS
    got = tokens_in(received)
    if received == expected:
        return Integrity(wanted, got, consecutive=got)
    if expected.startswith(received) and not len(received) % TOKEN_CHARS:
        return Integrity(wanted, got, missing_tail=wanted - got, consecutive=got)
    return _align(expected, received, wanted, got)


def _align(expected: str, received: str, wanted: int, got: int) -> Integrity:
    """Finds the place of each received token. Skips characters that match no token, up to the next match."""
    index: dict[str, int] = {}
    for place in range(wanted - 1, -1, -1):
        index[expected[place * TOKEN_CHARS : (place + 1) * TOKEN_CHARS]] = place
    seen = bytearray(wanted)
    after_last = 0
    duplicated = spliced = unmatched_chars = at = 0
    run = longest_run = 0
    next_place = next_at = -1
    while at < len(received):
        token = received[at : at + TOKEN_CHARS]
        here = after_last * TOKEN_CHARS
        place = after_last if expected[here : here + TOKEN_CHARS] == token else index.get(token, -1)
        if place < 0:
            unmatched_chars += 1
            at += 1
            continue
        spliced += tokens_in(" " * unmatched_chars)
        unmatched_chars = 0
        run = run + 1 if place == next_place and at == next_at else 1
        longest_run = max(longest_run, run)
        at += TOKEN_CHARS
        next_place, next_at = place + 1, at
        if seen[place]:
            duplicated += 1
        elif place < after_last:
            spliced += 1
            seen[place] = 1
        else:
            seen[place] = 1
            after_last = place + 1
    spliced += tokens_in(" " * unmatched_chars)
    return Integrity(
        wanted,
        got,
        holes=after_last - sum(seen[:after_last]),
        missing_tail=wanted - after_last,
        duplicated=duplicated,
        spliced=spliced,
        consecutive=longest_run,
    )
