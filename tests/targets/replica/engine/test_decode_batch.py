"""The decoding requests: contexts, blocks and finishes follow from two counters of steps."""

from __future__ import annotations

from array import array

from targets.replica.engine.decode_batch import DecodeBatch
from targets.replica.engine.kv import BlockPool, blocks_for
from targets.replica.engine.scheduled_request import ScheduledRequest


def decoding(pool: BlockPool, name: str, prompt_tokens: int, output_tokens: int) -> ScheduledRequest:
    """A request whose prompt is computed."""
    request = ScheduledRequest(name, (), prompt_tokens, output_tokens, (0, 0), 0.0)
    request.blocks = array("i", pool.take(blocks_for(prompt_tokens)))
    request.computed, request.produced, request.state = prompt_tokens, 1, "decode"
    return request


def test_each_request_takes_a_block_in_the_step_that_fills_its_last_one() -> None:
    pool = BlockPool(20)
    batch = DecodeBatch(pool, reserve=False)
    requests = [decoding(pool, "a", 15, 40), decoding(pool, "b", 32, 40), decoding(pool, "c", 31, 40)]
    for request in requests:
        batch.add(request)
    for step in range(40):
        wanted = sum(blocks_for(request.prompt_tokens + step + 1) for request in requests) - pool.used
        assert batch.missing_blocks == wanted
        batch.begin(1)
        assert batch.context_tokens == sum(request.prompt_tokens + step + 1 for request in requests)
        batch.ended += 1


def test_many_steps_at_once_take_as_many_blocks_as_one_by_one() -> None:
    pools = BlockPool(50), BlockPool(50)
    at_once, one_by_one = (DecodeBatch(pool, reserve=False) for pool in pools)
    for pool, batch in zip(pools, (at_once, one_by_one), strict=True):
        batch.add(decoding(pool, "a", 15, 200))
        batch.add(decoding(pool, "b", 20, 200))
    at_once.begin(75)
    for _ in range(75):
        one_by_one.begin(1)
    assert pools[0].used == pools[1].used


def test_a_removed_request_gets_its_tokens_and_its_blocks() -> None:
    pool = BlockPool(20)
    batch = DecodeBatch(pool, reserve=False)
    first, second = decoding(pool, "a", 15, 30), decoding(pool, "b", 16, 30)
    batch.add(first)
    batch.add(second)
    batch.begin(20)
    batch.ended += 20
    batch.remove(first)
    assert (first.computed, first.produced, len(first.blocks)) == (35, 21, blocks_for(35))
    assert (batch.ids, len(batch)) == (("b",), 1)


def test_a_request_finishes_with_its_last_output_token() -> None:
    pool = BlockPool(20)
    batch = DecodeBatch(pool, reserve=False)
    short, long = decoding(pool, "short", 10, 3), decoding(pool, "long", 10, 9)
    batch.add(long)
    batch.add(short)
    batch.begin(1)
    assert batch.steady_steps() == 2  # the prefill has produced the first of the three tokens
    batch.ended += 2
    assert batch.finished() == [short]
    assert batch.finished() == []
