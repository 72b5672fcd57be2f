"""Reader of Mooncake's traces (kvcache-ai/Mooncake, FAST'25, Apache-2.0): JSON lines, one request per line.

`timestamp` (ms), `input_length`, `output_length` (tokens), `hash_ids`: the ids of the prompt's blocks of 512 tokens,
shared across requests; the last block may be partial. Equal ids are equal text in all sessions.

The trace has no sessions. A request continues an earlier one if it is longer and begins with all full blocks of the
earlier one, at least two (the first block is the same in all requests). Of several such requests it continues the one
with the most full blocks; of those with the same blocks, the longest whose prompt and answer fit into the new prompt,
or else the longest; of equals, the latest. A request is continued at most once; a second continuation starts a new
session, which finds the same blocks cached. Every other request is a session of one call.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort_right
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from loadprofiles.replay.call_table import CallTable
from loadprofiles.replay.csv_rows import MAX_TOKENS
from loadprofiles.replay.format import Format
from loadprofiles.replay.lines import read_lines
from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import Blocks, Recorded

__all__ = ["BLOCK_TOKENS", "FORMAT", "read_mooncake"]

BLOCK_TOKENS: Final = 512
_MIN_BLOCKS: Final = 2
_Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class _Request(msgspec.Struct):
    timestamp: Annotated[float, Meta(ge=0, le=1e14)]
    input_length: Annotated[int, Meta(ge=1, le=MAX_TOKENS)]
    output_length: Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
    hash_ids: list[_Id]


class _Prompts:
    """The blocks of each call, and the calls that can be continued (open calls)."""

    def __init__(self) -> None:
        self.table = CallTable("chain", self.blocks)
        self._ids: list[array[int]] = []
        self._scopes: list[str] = []
        self._full: list[int] = []
        self._open: dict[int, list[int]] = {}  # by the id of their last full block, ordered by input tokens

    def begin(self) -> None:
        """Begins another file: block ids are only valid within one file."""
        self._open.clear()

    def add(self, scope: str, request: _Request, *, after: int | None) -> None:
        """Adds a call of the file `scope`, to the session of the call `after` or to a new one."""
        call = self.table.add(request.timestamp / 1000, request.input_length, request.output_length, after=after)
        ids = array("q", request.hash_ids)
        full = request.input_length // BLOCK_TOKENS
        self._ids.append(ids)
        self._scopes.append(scope)
        self._full.append(full)
        if full >= _MIN_BLOCKS:
            insort_right(self._open.setdefault(ids[full - 1], []), call, key=self.table.input_tokens)

    def continued_by(self, request: _Request) -> int | None:
        """The call that `request` continues, or None. That call cannot be continued again."""
        ids = array("q", request.hash_ids)
        for full in range(len(ids), _MIN_BLOCKS - 1, -1):
            calls = self._open.get(ids[full - 1])
            if calls is None:
                continue
            at = self._best(calls, ids[:full], request)
            if at is not None:
                call = calls.pop(at)
                if not calls:
                    del self._open[ids[full - 1]]
                return call
        return None

    def _best(self, calls: Sequence[int], ids: array[int], request: _Request) -> int | None:
        """The index of the call that `request` continues, of the open calls whose full blocks are `ids`; or None."""
        longest = None
        for at in range(bisect_left(calls, request.input_length, key=self.table.input_tokens) - 1, -1, -1):
            call = calls[at]
            later = self.table.at_s(call) > request.timestamp / 1000
            if later or self._full[call] != len(ids) or self._ids[call][: len(ids)] != ids:
                continue
            if self.table.input_tokens(call) + self.table.output_tokens(call) <= request.input_length:
                return at
            longest = at if longest is None else longest
        return longest

    def blocks(self, call: int) -> Blocks:
        return Blocks(self._scopes[call], BLOCK_TOKENS, self._ids[call])


def read_mooncake(paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded:
    """See `loadprofiles.replay.format.Reader`."""
    mistakes = Mistakes()
    prompts = _Prompts()
    decoder = msgspec.json.Decoder(_Request)
    for path in paths:
        prompts.begin()
        empty = True
        for line, text in read_lines(path, mistakes):
            empty = False
            try:
                request = decoder.decode(text)
            except (msgspec.DecodeError, RecursionError) as error:
                mistakes.add(path, line, f"is not a Mooncake request: {error}")
                continue
            blocks = -(-request.input_length // BLOCK_TOKENS)
            if len(request.hash_ids) != blocks:
                what = f"{request.input_length} tokens are {blocks} blocks of {BLOCK_TOKENS}"
                mistakes.add(path, line, f"{what}, but hash_ids has {len(request.hash_ids)}")
                continue
            before = prompts.continued_by(request)
            prompts.add(path.name, request, after=before)
        if empty:
            mistakes.add(path, 0, "contains no request")
    return prompts.table.recorded(paths, mistakes, skip_bad=skip_bad)


FORMAT = Format(
    name="mooncake",
    description="Mooncake's traces: JSON lines with timestamp, input_length, output_length, hash_ids",
    suffixes=(".jsonl", ".json"),
    signatures=(b'"timestamp"', b'"input_length"', b'"hash_ids"'),
    read=read_mooncake,
    defaults={"rate": None, "speed": 4.0, "shrink": 8.0},
)
