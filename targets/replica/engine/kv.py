"""The paged KV cache: blocks of 16 tokens, found again by content, in arrays.

A block is allocated (someone holds it) or free. A free block keeps its content, and the hash that it is found by, until
it is taken for something else: the least recently freed first. So a prefix that is asked for again, or a preempted
request that comes back, may find its blocks. Always: allocated + free = total, also where some are out of service.

The rules are those of vLLM's block pool. Unused blocks cost nothing: the arrays grow with the first use of each.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import islice, repeat
from typing import Final

__all__ = ["BLOCK_TOKENS", "BlockPool", "blocks_for"]

BLOCK_TOKENS: Final = 16
"""Tokens of a block."""

_NONE: Final = -1


def blocks_for(tokens: int) -> int:
    """Blocks that hold `tokens` tokens."""
    return -(-tokens // BLOCK_TOKENS)


class BlockPool:
    """`total` blocks."""

    __slots__ = ("_after", "_before", "_free", "_gone", "_index", "_keys", "_newest", "_oldest", "_refs", "total")

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError(f"a KV cache needs at least one block, not {total}")
        self.total = total
        self._free = total
        self._gone: list[int] = []  # blocks that were in use once and are out of service
        self._refs = array("i")  # holders of each block used so far
        self._before = array("i")  # the free list, linked: neighbours of each free block
        self._after = array("i")
        self._oldest = _NONE
        self._newest = _NONE
        self._keys: list[int | None] = []  # the hash that each block is found by
        self._index: dict[int, int] = {}  # and back

    @property
    def free(self) -> int:
        """Blocks that nobody holds."""
        return self._free

    @property
    def used(self) -> int:
        """Blocks that someone holds."""
        return self.total - self._free

    def find(self, hashes: Iterable[int], limit: int) -> list[int]:
        """The blocks with the content of the longest known prefix of `hashes`, at most `limit`; they are not held yet.

        Hashes are chained, so no two blocks of one sequence have the same.
        """
        found: list[int] = []
        get = self._index.get
        for key in islice(hashes, limit):
            block = get(key)
            if block is None:
                break
            found.append(block)
        return found

    def idle(self, blocks: Iterable[int]) -> int:
        """How many of `blocks` are free: holding these takes them from the free ones."""
        refs = self._refs
        return sum(1 for block in blocks if not refs[block])

    def hold(self, blocks: Iterable[int]) -> None:
        """One more holder for each of `blocks`."""
        refs, before, after = self._refs, self._before, self._after
        for block in blocks:
            if not refs[block]:
                self._free -= 1
                older, newer = before[block], after[block]
                if older == _NONE:
                    self._oldest = newer
                else:
                    after[older] = newer
                if newer == _NONE:
                    self._newest = older
                else:
                    before[newer] = older
            refs[block] += 1

    def take(self, count: int) -> Sequence[int]:
        """`count` blocks without content, held once. Those never used first, then the least recently freed, which lose
        their content. Raises `ValueError` where fewer are free."""
        if count > self._free:
            raise ValueError(f"{count} blocks asked for, {self._free} free")
        self._free -= count
        used = len(self._refs)
        fresh = min(count, self.total + len(self._gone) - used)
        if fresh:
            self._refs.extend(repeat(1, fresh))
            self._before.extend(repeat(_NONE, fresh))
            self._after.extend(repeat(_NONE, fresh))
            self._keys.extend(repeat(None, fresh))
        if fresh == count:
            return range(used, used + fresh)
        taken = list(range(used, used + fresh))
        refs, after, keys, index = self._refs, self._after, self._keys, self._index
        block = self._oldest
        for _ in range(count - fresh):
            taken.append(block)
            refs[block] = 1
            key = keys[block]
            if key is not None:
                del index[key]
                keys[block] = None
            block = after[block]
        self._oldest = block
        if block == _NONE:
            self._newest = _NONE
        else:
            self._before[block] = _NONE
        return taken

    def resize(self, total: int) -> None:
        """Take free blocks out of service, those that `take` would take next, or put empty ones into it, which are then
        the next. Raises `ValueError` where that would take held ones, or leave none."""
        if total < 1 or total < self.used:
            raise ValueError(f"{self.used} blocks are held: {total} are too few")
        if total < self.total:
            unused = min(self.total - total, self.total + len(self._gone) - len(self._refs))
            self.total -= unused
            self._free -= unused
            taken = self.take(self.total - total)
            for block in taken:
                self._refs[block] = 0
            self._gone += taken
        else:
            back = self._gone[len(self._gone) - min(total - self.total, len(self._gone)) :]
            del self._gone[len(self._gone) - len(back) :]
            self._free += total - self.total
            for block in back:
                self._before[block], self._after[block] = _NONE, self._oldest
                if self._oldest == _NONE:
                    self._newest = block
                else:
                    self._before[self._oldest] = block
                self._oldest = block
        self.total = total

    def flush(self) -> None:
        """Forget all content: nothing is found until it is published again."""
        self._index.clear()
        self._keys = [None] * len(self._keys)

    def publish(self, blocks: Sequence[int], hashes: Sequence[int], start: int, stop: int) -> None:
        """`blocks[start:stop]` are full and can be found by `hashes` from now on. Where two blocks have the same
        content, the first is the one that is found."""
        keys, setdefault = self._keys, self._index.setdefault
        for key, block in zip(hashes[start:stop], blocks[start:stop], strict=False):
            if setdefault(key, block) == block:
                keys[block] = key

    def release(self, blocks: Sequence[int]) -> None:
        """One holder fewer for each of `blocks`, a sequence in its order. The last block becomes free first, and is
        lost first: a prefix is worth more the shorter it is."""
        refs, before, after = self._refs, self._before, self._after
        newest = self._newest
        for block in reversed(blocks):
            refs[block] -= 1
            if refs[block]:
                continue
            self._free += 1
            before[block] = newest
            after[block] = _NONE
            if newest == _NONE:
                self._oldest = block
            else:
                after[newest] = block
            newest = block
        self._newest = newest
