"""The rules of the engine, one by one, in exact times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from targets.hardware.step_cost import StepCost
from targets.replica.engine.engine import (
    Admitted,
    Engine,
    EngineRequest,
    Event,
    Finished,
    FirstToken,
    Preempted,
    Tokens,
)

EVEN = StepCost(a_s=1.0, b_s=0.0)
"""Every step takes one second."""


def request(
    id: str, prompt: int, output: int, *, hashes: Sequence[int] | None = None, priority: int = 0
) -> EngineRequest:
    if hashes is None:
        hashes = [hash((id, place)) for place in range((prompt + output) // 16)]
    return EngineRequest(id, hashes, prompt, output, priority)


def small(kv_tokens: int = 16 * 100, max_sequences: int = 8) -> Engine:
    return Engine(EVEN, kv_tokens, max_sequences=max_sequences, step_tokens=64)


def first(events: Sequence[Event], kind: type, id: str) -> float:
    return next(event.at for event in events if isinstance(event, kind) and getattr(event, "id", None) == id)


def test_a_request_is_prefilled_in_chunks_and_gets_one_token_per_step() -> None:
    engine = small()
    engine.submit(10.0, request("a", 100, 3))  # 64 + 36 tokens
    assert engine.advance(100.0) == [
        Admitted(10.0, "a", 0, 10.0),
        FirstToken(12.0, "a"),
        Tokens(12.0, ("a",)),
        Tokens(13.0, ("a",)),
        Tokens(14.0, ("a",)),
        Finished(14.0, "a"),
    ]
    assert (engine.prefill_tokens, engine.decoded_tokens, engine.kv_used) == (100, 3, 0)


def test_time_to_first_token_follows_the_formula() -> None:
    cost = StepCost(a_s=0.0157, b_s=48e-6, b2_s=1e-9, c_s=30e-6, d_s=49e-9)
    engine = Engine(cost, 290_000, step_tokens=1024)
    engine.submit(0.0, request("a", 1000, 2))
    events = engine.advance(1.0)
    ttft = 0.0157 + 48e-6 * 1000 + 1e-9 * 1000 * 500
    assert first(events, FirstToken, "a") == pytest.approx(ttft, abs=1e-11)
    assert first(events, Finished, "a") == pytest.approx(ttft + 0.0157 + 30e-6 + 49e-9 * 1001, abs=1e-11)


def test_without_tokens_all_other_events_are_returned() -> None:
    engine = small()
    engine.submit(0.0, request("a", 10, 30))
    assert [type(event) for event in engine.advance(100.0, tokens=False)] == [Admitted, FirstToken, Finished]


def test_a_new_request_joins_the_batch_after_the_step_in_flight() -> None:
    engine = small()
    engine.submit(0.0, request("a", 16, 50))
    engine.submit(5.5, request("b", 16, 2))
    events = engine.advance(100.0)
    assert Admitted(6.0, "b", 0, 5.5) in events
    assert first(events, FirstToken, "b") == 7.0
    assert Tokens(7.0, ("a", "b")) in events
    assert first(events, Finished, "a") == 50.0


def test_a_repeated_prompt_is_found_in_the_cache_except_its_last_token() -> None:
    engine = small()
    shared = [hash(("shared", place)) for place in range(6)]
    engine.submit(0.0, request("a", 64, 16, hashes=shared))
    engine.advance(100.0)
    engine.submit(100.0, request("b", 64, 16, hashes=shared))
    assert Admitted(100.0, "b", 48, 100.0) in engine.advance(200.0)
    engine.submit(200.0, request("c", 90, 6, hashes=shared))  # the next turn: the answer is cached too
    assert Admitted(200.0, "c", 64, 200.0) in engine.advance(300.0)
    assert (engine.prefix_query_tokens, engine.prefix_hit_tokens) == (64 + 64 + 90, 48 + 64)


def test_the_newest_request_is_preempted_if_blocks_run_out_and_repeats_no_token() -> None:
    engine = small(kv_tokens=16 * 5)
    engine.submit(0.0, request("a", 31, 30))
    engine.submit(0.0, request("b", 31, 30))
    events = engine.advance(1000.0)
    assert [event.id for event in events if isinstance(event, Preempted)] == ["b"]
    assert engine.preemptions == 1
    for id in "ab":
        assert sum(id in event.ids for event in events if isinstance(event, Tokens)) == 30
    again = [event for event in events if isinstance(event, Admitted) and event.id == "b"][1]
    assert again.queued_since == first(events, Preempted, "b")
    assert again.cached_tokens == 16  # its only block that no other request took meanwhile
    assert engine.prefix_hit_tokens == 0


def test_the_lowest_priority_is_preempted_before_the_newest_request() -> None:
    engine = small(kv_tokens=16 * 5)
    engine.submit(0.0, request("a", 31, 30, priority=1))
    engine.submit(0.0, request("b", 31, 30, priority=0))
    assert [event.id for event in engine.advance(1000.0) if isinstance(event, Preempted)] == ["a"]


def test_a_lower_priority_number_leaves_the_queue_first() -> None:
    engine = small(max_sequences=1)
    engine.submit(0.0, request("running", 10, 5))
    engine.submit(1.0, request("later", 10, 5, priority=5))
    engine.submit(2.0, request("sooner", 10, 5, priority=-5))
    events = engine.advance(100.0)
    assert first(events, Admitted, "sooner") < first(events, Admitted, "later")


def test_with_the_full_length_reserved_no_request_is_preempted() -> None:
    engine = Engine(EVEN, 16 * 5, max_sequences=8, step_tokens=64, reserve_full_length=True)
    engine.submit(0.0, request("a", 31, 30))
    engine.submit(0.0, request("b", 31, 30))
    assert engine.kv_used == 4
    events = engine.advance(1000.0)
    assert engine.preemptions == 0
    assert first(events, Admitted, "b") == first(events, Finished, "a")


def test_with_a_full_batch_further_requests_wait_in_the_queue() -> None:
    engine = small(max_sequences=2)
    for number in range(5):
        engine.submit(0.0, request(str(number), 10, 10))
    engine.advance(5.0)
    assert (engine.running, engine.waiting) == (2, 3)


def test_a_cancelled_request_leaves_at_once_and_frees_its_blocks() -> None:
    engine = small()
    engine.submit(0.0, request("a", 64, 100))
    engine.submit(0.0, request("b", 64, 100))
    engine.advance(10.0)
    held = engine.kv_used
    engine.cancel(10.5, "b")
    engine.cancel(10.5, "b")
    assert (engine.running, engine.waiting) == (1, 0)
    assert engine.kv_used < held
    assert Tokens(11.0, ("a",)) in engine.advance(11.0)


def test_an_engine_without_requests_is_idle_but_ends_the_step_in_flight() -> None:
    engine = small()
    engine.submit(0.0, request("a", 64, 100))
    engine.cancel(0.25, "a")
    assert engine.next_event_at() is engine.next_token_at() is None
    engine.submit(0.5, request("b", 10, 1))
    assert Admitted(1.0, "b", 0, 0.5) in engine.advance(10.0)
    assert engine.kv_used == 0


def test_factors_apply_from_the_next_step_on() -> None:
    engine = small()
    engine.submit(0.0, request("a", 10, 6))
    engine.set_factors(2.5, decode=4.0)
    engine.set_factors(8.0)
    times = [event.at for event in engine.advance(100.0) if isinstance(event, Tokens)]
    assert times == [1.0, 2.0, 3.0, 7.0, 11.0, 12.0]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request("x", 1500, 102), "can never fit"),
        (request("x", 0, 10), "needs at least one of each"),
        (request("x", 10, 0), "needs at least one of each"),
        (request("there", 10, 10), "already in the engine"),
    ],
)
def test_a_request_that_cannot_be_served_is_rejected(asked: EngineRequest, why: str) -> None:
    engine = small()
    engine.submit(0.0, request("there", 10, 10))
    with pytest.raises(ValueError, match=why):
        engine.submit(0.0, asked)
    assert (engine.running, engine.waiting) == (1, 0)


def test_a_request_that_just_fits_is_served() -> None:
    engine = small()
    engine.submit(0.0, request("a", 1500, 101))  # the last token is not stored
    assert isinstance(engine.advance(1000.0)[-1], Finished)


@pytest.mark.parametrize(
    "late",
    [
        lambda engine: engine.advance(4.9),
        lambda engine: engine.cancel(4.9, "a"),
        lambda engine: engine.set_factors(4.9),
        lambda engine: engine.submit(4.9, request("b", 1, 1)),
        lambda engine: engine.advance(float("nan")),
    ],
)
def test_time_does_not_go_back(late: Callable[[Engine], object]) -> None:
    engine = small()
    engine.advance(5.0)
    with pytest.raises(ValueError, match="time goes back"):
        late(engine)


def test_a_step_budget_below_the_batch_size_is_rejected() -> None:
    with pytest.raises(ValueError, match="a token for each sequence"):
        Engine(EVEN, 1600, max_sequences=100, step_tokens=99)


def best_of(times: int, work: Callable[[], object]) -> float:
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begin)
    return min(spent)


def test_with_a_hundred_streams_a_wake_up_takes_less_than_200_us() -> None:
    engine = Engine(StepCost(0.0157, 48e-6, 1e-9, 30e-6, 49e-9), 290_000)
    for number in range(100):
        engine.submit(0.0, request(str(number), 500, 2000))
    now = 20.0
    engine.advance(now)

    def wake() -> None:
        nonlocal now
        now = engine.next_token_at() or now
        assert len(engine.advance(now)) >= 1

    assert best_of(50, wake) < 0.0002


def test_submitting_a_long_prompt_takes_less_than_half_a_millisecond() -> None:
    engine = Engine(StepCost(0.0157, 48e-6, 1e-9, 30e-6, 49e-9), 4_000_000)
    numbers = iter(range(100))
    hashes = [hash((0, place)) for place in range(1125)]
    engine.submit(0.0, request("running", 20, 100_000))

    def submit() -> None:
        engine.submit(0.0, request(str(next(numbers)), 18_000, 10, hashes=hashes))

    assert best_of(20, submit) < 0.0005
