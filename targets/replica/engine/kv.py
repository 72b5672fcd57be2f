"""The paged KV cache: blocks of 16 tokens that can be found by content.

A block is allocated (held by at least one request) or free. A free block keeps its content and its hash until it is
taken for other content, the least recently freed first. So a repeated prefix, or a preempted request, may find its
blocks again. Invariant: allocated + free = total, also after a resize.

The rules are those of vLLM's block pool. Unused blocks need no memory: the arrays grow with the first use of each.
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
    """Returns the number of blocks needed for `tokens` tokens."""
    return -(-tokens // BLOCK_TOKENS)


class BlockPool:
    """A pool of `total` blocks. Raises `ValueError` below one."""

    __slots__ = ("_after", "_before", "_free", "_index", "_keys", "_newest", "_oldest", "_refs", "_retired", "total")

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError(f"a KV cache needs at least one block, not {total}")
        self.total = total
        self._free = total
        self._retired: list[int] = []  # used before, removed by a resize
        self._refs = array("i")  # number of holders of each block used so far
        self._before = array("i")  # the linked free list: the neighbours of each free block
        self._after = array("i")
        self._oldest = _NONE
        self._newest = _NONE
        self._keys: list[int | None] = []  # hash of the content of each block
        self._index: dict[int, int] = {}  # block by hash

    @property
    def free(self) -> int:
        """Blocks without a holder."""
        return self._free

    @property
    def used(self) -> int:
        """Blocks with a holder."""
        return self.total - self._free

    def find(self, hashes: Iterable[int], limit: int) -> list[int]:
        """Returns the blocks of the longest cached prefix of `hashes`, at most `limit`. Does not hold them.

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

    def count_free(self, blocks: Iterable[int]) -> int:
        """Returns how many of `blocks` are free, that is by how many `hold(blocks)` reduces `free`."""
        refs = self._refs
        return sum(1 for block in blocks if not refs[block])

    def hold(self, blocks: Iterable[int]) -> None:
        """Add a holder to each of `blocks`."""
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
        """Take `count` blocks, with one holder each: unused ones first, then the least recently freed, which lose
        their content. Raises `ValueError` if fewer are free."""
        if count > self._free:
            raise ValueError(f"{count} blocks asked for, {self._free} free")
        self._free -= count
        used = len(self._refs)
        fresh = min(count, self.total + len(self._retired) - used)
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
        """Remove free blocks, in the order in which `take` takes them, or add empty ones, which `take` takes first.
        Raises `ValueError` if a held block would have to go, or none would be left."""
        if total < 1 or total < self.used:
            raise ValueError(f"{self.used} blocks are held: {total} are too few")
        if total < self.total:
            unused = min(self.total - total, self.total + len(self._retired) - len(self._refs))
            self.total -= unused
            self._free -= unused
            taken = self.take(self.total - total)
            for block in taken:
                self._refs[block] = 0
            self._retired += taken
        else:
            back = self._retired[len(self._retired) - min(total - self.total, len(self._retired)) :]
            del self._retired[len(self._retired) - len(back) :]
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
        """Forget the content of all blocks. `find` finds nothing until blocks are published again."""
        self._index.clear()
        self._keys = [None] * len(self._keys)

    def publish(self, blocks: Sequence[int], hashes: Sequence[int], start: int, stop: int) -> None:
        """Make the full blocks `blocks[start:stop]` available to `find` by `hashes[start:stop]`. If two blocks have the
        same content, `find` returns the first."""
        keys, setdefault = self._keys, self._index.setdefault
        for key, block in zip(hashes[start:stop], blocks[start:stop], strict=False):
            if setdefault(key, block) == block:
                keys[block] = key

    def release(self, blocks: Sequence[int]) -> None:
        """Remove a holder from each of `blocks`, which are in the order of the sequence. The last block is freed first,
        and so is overwritten first: the beginning of a prompt is more likely to be reused than its end."""
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
