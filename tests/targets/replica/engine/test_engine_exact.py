"""Jumps give exactly the events of single steps, at the same floats."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

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
from tests.support.naive_engine import NaiveEngine

END_S = 1e7


@dataclass(frozen=True)
class Submit:
    family: int  # requests of a family begin with the same blocks
    shared: int  # number of these blocks
    prompt: int
    output: int
    priority: int


@dataclass(frozen=True)
class Cancel:
    which: int


@dataclass(frozen=True)
class Factors:
    prefill: float
    decode: float


@dataclass(frozen=True)
class Resize:
    share: float  # of the initial blocks


@dataclass(frozen=True)
class Batch:
    max_sequences: int | None


@dataclass(frozen=True)
class Preempt:
    count: int


@dataclass(frozen=True)
class Flush:
    pass


@dataclass(frozen=True)
class Advance:
    pass


Action = Submit | Cancel | Factors | Resize | Batch | Preempt | Flush | Advance


@dataclass(frozen=True)
class Script:
    blocks: int
    max_sequences: int
    step_tokens: int
    reserve: bool
    cost: StepCost
    start_s: float
    actions: list[tuple[float, Action]]  # each with seconds since the previous one


factors = st.floats(0.3, 5.0)
submits = st.builds(
    Submit,
    st.integers(0, 2),
    st.integers(0, 8),
    st.integers(1, 150),
    st.one_of(st.integers(1, 5), st.integers(1, 120)),
    st.sampled_from([0, 0, 0, 1, -1]),
)
actions = st.one_of(
    submits,
    submits,
    submits,
    st.builds(Cancel, st.integers(0, 30)),
    st.builds(Factors, factors, factors),
    st.builds(Resize, st.floats(0.05, 1.0)),
    st.just(Resize(1.0)),
    st.builds(Batch, st.one_of(st.none(), st.integers(1, 4))),
    st.builds(Preempt, st.integers(1, 4)),
    st.just(Flush()),
    st.just(Advance()),
)
gaps_s = st.one_of(st.just(0.0), st.floats(0, 0.02), st.floats(0, 1.5))
costs = st.builds(
    StepCost,
    st.floats(1e-4, 0.03),
    st.floats(0, 1e-3),
    st.floats(0, 1e-6),
    st.floats(0, 1e-4),
    st.floats(0, 1e-6),
)
starts_s = st.sampled_from([0.0, 0.1, 86_400.3, 4_000_000.7])
loose = st.integers(1, 8).flatmap(
    lambda sequences: st.builds(
        Script,
        st.integers(2, 40),
        st.just(sequences),
        st.integers(sequences, 100),
        st.booleans(),
        costs,
        starts_s,
        st.lists(st.tuples(gaps_s, actions), min_size=1, max_size=30),
    )
)
crowd = st.builds(
    Submit, st.integers(0, 1), st.integers(0, 2), st.integers(1, 40), st.integers(20, 70), st.integers(0, 1)
)
tight = st.builds(  # outputs exceed the cache: preemptions
    Script,
    st.integers(7, 12),
    st.integers(4, 8),
    st.integers(8, 60),
    st.just(False),
    costs,
    starts_s,
    st.lists(st.tuples(st.floats(0, 0.05), st.one_of(crowd, crowd, crowd, crowd, actions)), min_size=4, max_size=20),
)
scripts = st.one_of(loose, tight)


def request(number: int, submit: Submit) -> EngineRequest:
    hashes: list[int] = []
    parent = submit.family
    for place in range((submit.prompt + submit.output) // 16):
        parent = hash((parent, place if place < submit.shared else (number, place)))
        hashes.append(parent)
    return EngineRequest(f"r{number}", hashes, submit.prompt, submit.output, submit.priority)


def engine_of(script: Script) -> Engine:
    return Engine(
        script.cost,
        16 * script.blocks,
        max_sequences=script.max_sequences,
        step_tokens=script.step_tokens,
        reserve_full_length=script.reserve,
    )


def play(script: Script, engine: Engine | NaiveEngine, *, advance_often: bool) -> list[Event]:
    """Returns all events. With `advance_often`, advances at every action and at every token time in between."""
    events: list[Event] = []
    now = script.start_s
    for number, (gap_s, action) in enumerate(script.actions):
        until = now + gap_s
        if advance_often and isinstance(engine, Engine):
            for _ in range(20):
                soon = engine.next_token_at()
                if soon is None or soon > until:
                    break
                events += engine.advance(soon)
        now = until
        if advance_often or isinstance(action, Advance):
            events += engine.advance(now)
        if isinstance(action, Submit):
            submitted = request(number, action)
            if submitted.prompt_tokens + submitted.output_tokens - 1 <= 16 * script.blocks:
                engine.submit(now, submitted)
        elif isinstance(action, Cancel):
            engine.cancel(now, f"r{action.which}")
        else:
            disturb(engine, now, action, script.blocks)
    for revert in (Resize(1.0), Batch(None)):
        disturb(engine, now, revert, script.blocks)
    events += engine.advance(now + END_S)
    return events


def disturb(engine: Engine | NaiveEngine, now: float, action: Action, blocks: int) -> None:
    """Apply the action of a fault to an engine."""
    if isinstance(action, Factors):
        engine.set_factors(now, prefill=action.prefill, decode=action.decode)
    elif isinstance(action, Resize):
        engine.resize(now, max(1, int(action.share * blocks)))
    elif isinstance(action, Batch):
        engine.set_max_sequences(now, action.max_sequences)
    elif isinstance(action, Flush):
        engine.flush_cache(now)
    elif isinstance(action, Preempt) and isinstance(engine, Engine):
        engine.preempt(now, action.count)
    elif isinstance(action, Preempt) and isinstance(engine, NaiveEngine):
        engine.preempt_soon(now, action.count)


@settings(max_examples=300, deadline=None)
@given(scripts)
def test_jumps_give_the_same_events_as_single_steps(script: Script) -> None:
    naive = NaiveEngine(
        script.cost,
        16 * script.blocks,
        max_sequences=script.max_sequences,
        step_tokens=script.step_tokens,
        reserve_full_length=script.reserve,
    )
    engine = engine_of(script)
    expected = play(script, naive, advance_often=False)
    assert play(script, engine, advance_often=False) == expected
    assert engine.preemptions == naive.preemptions
    assert engine.decoded_tokens == naive.decoded_tokens
    assert (engine.running, engine.waiting, engine.kv_used) == (0, 0, 0)


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_many_small_advances_give_the_same_events_as_one_large(script: Script) -> None:
    assert play(script, engine_of(script), advance_often=True) == play(script, engine_of(script), advance_often=False)


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_blocks_in_use_are_the_same_at_every_instant(script: Script) -> None:
    engine = engine_of(script)
    naive = NaiveEngine(
        script.cost,
        16 * script.blocks,
        max_sequences=script.max_sequences,
        step_tokens=script.step_tokens,
        reserve_full_length=script.reserve,
    )
    played = replace(script, actions=[])
    play(played, engine, advance_often=False)
    now = script.start_s + END_S
    naive.run(now)
    for number, (gap_s, action) in enumerate(script.actions):
        now += gap_s
        for each in (engine, naive):
            if isinstance(action, Submit):
                submitted = request(number, action)
                if submitted.prompt_tokens + submitted.output_tokens - 1 <= 16 * script.blocks:
                    each.submit(now, submitted)
            elif isinstance(action, Cancel):
                each.cancel(now, f"r{action.which}")
            else:
                disturb(each, now, action, script.blocks)
                each.advance(now)
        assert engine.kv_used == naive.kv_used
        assert engine.kv_total == len(naive.blocks)
        assert (engine.running, engine.waiting) == (len(naive.batch), len(naive.queue))
        assert 0 <= engine.kv_used <= engine.kv_total <= script.blocks


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_every_request_gets_all_its_tokens_and_time_never_goes_back(script: Script) -> None:
    events = play(script, engine_of(script), advance_often=True)
    times = [event.at for event in events]
    assert times == sorted(times)
    tokens: Counter[str] = Counter()
    seen: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if isinstance(event, Tokens):
            tokens.update(event.ids)
        else:
            seen[event.id].append(type(event).__name__)
    for number, (_, action) in enumerate(script.actions):
        if not isinstance(action, Submit) or f"r{number}" not in seen:
            continue
        history = seen[f"r{number}"]
        assert history[0] == "Admitted"
        if "Finished" in history:
            assert history[-1] == "Finished"
            assert tokens[f"r{number}"] == action.output
        else:
            assert tokens[f"r{number}"] < action.output


@settings(max_examples=100, deadline=None)
@given(scripts)
def test_next_event_and_next_token_times_are_never_too_late(script: Script) -> None:
    engine = engine_of(script)
    play(script, engine, advance_often=False)
    now = script.start_s + 2 * END_S
    for number, (_, action) in enumerate(script.actions):
        if isinstance(action, Submit) and action.prompt + action.output - 1 <= 16 * script.blocks:
            engine.submit(now, request(number, action))
    engine.advance(now)
    for _ in range(500):
        token_at, event_at = engine.next_token_at(), engine.next_event_at()
        if token_at is None or event_at is None:
            assert engine.running == engine.waiting == 0
            return
        assert now < token_at <= event_at
        assert engine.advance(math.nextafter(token_at, -math.inf)) == []
        events = engine.advance(token_at)
        if token_at < event_at:
            assert [type(event) for event in events] == [Tokens]
        assert all(isinstance(event, Admitted | Finished | FirstToken | Preempted | Tokens) for event in events)
        now = token_at
