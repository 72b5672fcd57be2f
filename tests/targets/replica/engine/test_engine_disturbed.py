"""Faults of the engine, in exact times: a smaller cache, a smaller batch, preemptions, a flushed cache."""

from __future__ import annotations

import pytest

from targets.replica.engine.engine import Admitted, Finished, Preempted
from tests.targets.replica.engine.test_engine import first, request, small


def test_a_smaller_cache_preempts_the_last_requests_until_they_fit_again() -> None:
    engine = small(16 * 8)
    engine.submit(0.0, request("a", 32, 20))
    engine.submit(0.0, request("b", 32, 20))
    engine.advance(4.5)
    assert engine.kv_used == 6
    engine.resize(4.5, 4)
    assert engine.kv_total == 8  # the step in flight keeps its blocks
    events = engine.advance(5.0)
    assert [event for event in events if isinstance(event, Preempted)] == [Preempted(5.0, "b")]
    assert (engine.kv_total, engine.kv_used) == (4, 3)
    events = engine.advance(100.0)
    done_a, back_b = first(events, Finished, "a"), first(events, Admitted, "b")
    assert back_b == done_a  # no other request left the batch before
    assert first(events, Finished, "b") > done_a
    engine.resize(100.0, 8)
    assert (engine.kv_total, engine.kv_used) == (8, 0)


def test_a_request_too_large_for_the_smaller_cache_waits_and_blocks_the_others() -> None:
    engine = small(16 * 8)
    engine.submit(0.0, request("large", 100, 2))
    engine.submit(0.0, request("small", 10, 2))
    engine.resize(0.5, 2)
    events = engine.advance(50.0)
    assert first(events, Preempted, "large") == 1.0
    assert (engine.running, engine.waiting, engine.kv_total) == (0, 2, 2)
    assert engine.next_token_at() is None
    engine.resize(60.0, 8)
    events = engine.advance(100.0)
    assert first(events, Admitted, "large") == 60.0
    assert first(events, Finished, "small") == first(events, Finished, "large") == 63.0


def test_the_others_start_at_once_when_the_blocking_request_leaves() -> None:
    engine = small(16 * 8)
    engine.submit(0.0, request("large", 100, 2))
    engine.submit(0.0, request("small", 10, 2))
    engine.resize(0.5, 2)
    engine.advance(50.0)
    engine.cancel(60.0, "large")
    assert first(engine.advance(100.0), Admitted, "small") == 60.0


def test_a_request_that_fits_the_initial_cache_is_accepted_by_a_smaller_one() -> None:
    engine = small(16 * 8)
    engine.resize(0.0, 1)
    engine.submit(1.0, request("a", 100, 2))
    with pytest.raises(ValueError, match="can never fit"):
        engine.submit(1.0, request("b", 200, 2))
    assert engine.waiting == 1


def test_a_smaller_batch_keeps_running_requests_and_a_larger_one_admits_others() -> None:
    engine = small()
    for name in "abc":
        engine.submit(0.0, request(name, 10, 10))
    engine.set_max_sequences(2.5, 1)
    engine.submit(2.5, request("d", 10, 5))
    engine.advance(4.0)
    assert (engine.running, engine.waiting) == (3, 1)
    engine.set_max_sequences(5.5, None)
    assert first(engine.advance(30.0), Admitted, "d") == 6.0


def test_the_last_requests_are_preempted_and_come_back_after_one_step() -> None:
    engine = small()
    for name in "abc":
        engine.submit(0.0, request(name, 10, 20))
    engine.advance(3.5)
    engine.preempt(3.5, 2)
    engine.preempt(3.6, 1)  # the larger of the two counts
    events = engine.advance(5.0)
    assert [event for event in events if isinstance(event, Preempted)] == [Preempted(4.0, "c"), Preempted(4.0, "b")]
    assert [event.id for event in events if isinstance(event, Admitted)] == ["b", "c"]
    assert first(events, Admitted, "b") == 5.0
    assert engine.preemptions == 2


def test_if_all_are_preempted_they_come_back_without_a_step_in_between() -> None:
    engine = small()
    engine.submit(0.0, request("a", 10, 5))
    engine.preempt(2.5, 8)
    events = engine.advance(20.0)
    assert (first(events, Preempted, "a"), [e.at for e in events if isinstance(e, Admitted)]) == (3.0, [0.0, 3.0])
    assert first(events, Finished, "a") == 5.0


def test_a_preemption_has_no_effect_on_an_idle_engine_now_or_later() -> None:
    engine = small()
    engine.preempt(0.0, 3)
    engine.submit(1.0, request("a", 10, 2))
    engine.advance(20.0)
    assert engine.preemptions == 0


def test_after_a_flush_prefixes_are_recomputed_and_running_requests_continue() -> None:
    engine = small()
    shared = [1, 2, 3]
    engine.submit(0.0, request("a", 48, 2, hashes=shared))
    engine.advance(10.0)
    engine.submit(10.0, request("b", 50, 30, hashes=shared))
    assert next(event.cached_tokens for event in engine.advance(12.0) if isinstance(event, Admitted)) == 48
    engine.flush_cache(12.5)
    engine.submit(12.5, request("c", 50, 2, hashes=shared))
    events = engine.advance(60.0)
    assert next(event.cached_tokens for event in events if isinstance(event, Admitted)) == 0
    assert first(events, Finished, "b") == 40.0
    assert engine.prefix_hit_tokens == 48


@pytest.mark.parametrize("blocks", [0, -1])
def test_fewer_than_one_block_or_sequence_is_rejected(blocks: int) -> None:
    with pytest.raises(ValueError, match="at least one block"):
        small().resize(0.0, blocks)
    with pytest.raises(ValueError, match="at least one sequence"):
        small().set_max_sequences(0.0, blocks)
