"""The block pool: no block is lost or taken twice, and content is found until it is overwritten."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.replica.engine.kv import BlockPool, blocks_for


@pytest.mark.parametrize(("tokens", "blocks"), [(0, 0), (1, 1), (16, 1), (17, 2), (32, 2)])
def test_a_block_has_sixteen_tokens(tokens: int, blocks: int) -> None:
    assert blocks_for(tokens) == blocks


def test_a_freed_block_is_found_again_until_it_is_taken() -> None:
    pool = BlockPool(4)
    mine = pool.take(3)
    pool.publish(mine, [11, 12, 13], 0, 3)
    pool.release(mine)
    assert (pool.free, pool.find([11, 12, 13], 3)) == (4, list(mine))
    pool.take(2)  # the unused one, then the least recently freed: the end of the prefix
    assert pool.find([11, 12, 13], 3) == list(mine[:2])


def test_a_prefix_is_found_up_to_the_first_unknown_block_and_the_limit() -> None:
    pool = BlockPool(8)
    mine = pool.take(3)
    pool.publish(mine, [1, 2, 3], 0, 3)
    assert pool.find([1, 2, 99, 3], 4) == list(mine[:2])
    assert pool.find([1, 2, 3], 1) == list(mine[:1])
    assert pool.find([99, 1], 2) == []


def test_only_published_blocks_are_found() -> None:
    pool = BlockPool(8)
    mine = pool.take(3)
    pool.publish(mine, [1, 2, 3], 0, 2)
    assert pool.find([1, 2, 3], 3) == list(mine[:2])
    pool.publish(mine, [1, 2, 3], 2, 3)
    assert pool.find([1, 2, 3], 3) == list(mine)


def test_a_shared_block_is_freed_by_its_last_holder() -> None:
    pool = BlockPool(4)
    mine = pool.take(2)
    pool.publish(mine, [1, 2], 0, 2)
    found = pool.find([1, 2], 2)
    assert pool.count_free(found) == 0
    pool.hold(found)
    pool.release(mine)
    assert pool.used == 2
    pool.release(found)
    assert pool.used == 0
    assert pool.count_free(pool.find([1, 2], 2)) == 2


def test_of_two_blocks_with_the_same_content_the_first_is_found() -> None:
    pool = BlockPool(4)
    first, second = pool.take(1), pool.take(1)
    pool.publish(first, [7], 0, 1)
    pool.publish(second, [7], 0, 1)
    assert pool.find([7], 1) == list(first)
    pool.release(second)
    pool.release(first)
    pool.take(3)  # the two unused ones, and `second`, which was freed first and was never the one found
    assert pool.find([7], 1) == list(first)


def test_taking_more_than_is_free_is_rejected_and_changes_nothing() -> None:
    pool = BlockPool(3)
    pool.take(2)
    with pytest.raises(ValueError, match="2 blocks asked for, 1 free"):
        pool.take(2)
    assert (pool.free, pool.used) == (1, 2)


def test_a_pool_needs_at_least_one_block() -> None:
    with pytest.raises(ValueError, match="at least one block"):
        BlockPool(0)


def test_an_empty_cache_of_four_million_tokens_takes_almost_no_memory() -> None:
    pool = BlockPool(250_000)
    assert sum(sys.getsizeof(getattr(pool, slot)) for slot in BlockPool.__slots__) < 10_000


def test_a_smaller_pool_loses_the_next_blocks_to_take_and_regrows_with_empty_ones() -> None:
    pool = BlockPool(5)
    mine = pool.take(3)
    pool.publish(mine, [11, 12, 13], 0, 3)
    pool.release(mine)
    pool.resize(2)  # the two unused ones, and the end of the prefix
    assert (pool.total, pool.free, pool.find([11, 12, 13], 3)) == (2, 2, list(mine[:2]))
    pool.resize(4)
    assert (pool.total, pool.free) == (4, 4)
    assert len(set(pool.take(2))) == 2
    assert pool.find([11, 12, 13], 3) == list(mine[:2])
    pool.take(1)
    assert pool.find([11, 12, 13], 3) == list(mine[:1])


def test_held_blocks_cannot_be_removed() -> None:
    pool = BlockPool(4)
    pool.take(3)
    with pytest.raises(ValueError, match="3 blocks are held: 2 are too few"):
        pool.resize(2)
    pool.resize(3)
    assert (pool.free, pool.used) == (0, 3)


def test_after_a_flush_only_newly_published_blocks_are_found() -> None:
    pool = BlockPool(4)
    mine = pool.take(2)
    pool.publish(mine, [1, 2], 0, 2)
    pool.flush()
    assert pool.find([1, 2], 2) == []
    assert pool.used == 2
    pool.publish(mine, [1, 2], 0, 2)
    assert pool.find([1, 2], 2) == list(mine)
    pool.release(mine)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=60))
def test_allocated_plus_free_is_always_the_total(total: int, actions: list[tuple[int, int]]) -> None:
    pool = BlockPool(total)
    held: list[list[int]] = []
    for family, size in actions:
        hashes = [100 * family + place for place in range(6)]
        found = pool.find(hashes, size)
        if size and size - len(found) <= pool.free - pool.count_free(found):
            pool.hold(found)
            blocks = [*found, *pool.take(size - len(found))]
            assert len(set(blocks)) == size
            pool.publish(blocks, hashes, len(found), size)
            held.append(blocks)
        elif family == 4 and pool.used < total:
            total = max(pool.used, 1, size * 2)
            pool.resize(total)
        elif held:
            pool.release(held.pop(family % len(held)))
        assert pool.used == len({block for blocks in held for block in blocks})
        assert pool.free + pool.used == total == pool.total
        for blocks in held:  # held blocks are never overwritten
            mine = 100 * next(f for f in range(5) if pool.find([100 * f], 1) == blocks[:1])
            assert pool.find([mine + place for place in range(len(blocks))], 6) == blocks
