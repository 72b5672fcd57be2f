from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from loadprofiles.replay import TraceOptions, replay_sessions
from loadprofiles.sessions.session import SessionPlan
from reports.shared.errors import InvalidFile
from tests.support.recordings import REAL, needs_real, request, session, sub_agent, write
from tests.support.session_player import play


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(1, 6):
        requests = [request(range(9 + k), 10.0 * k, think_time=10.0 * k, type="n") for k in range(n)]
        write(tmp_path, session(requests), f"{n}.json")
    return tmp_path


def some(folder: Path, count: int, seed: int = 7, **options: object) -> list[SessionPlan]:
    return list(islice(replay_sessions(folder, options, seed, "r"), count))


def test_recordings_repeat_with_fresh_ids_when_more_sessions_are_needed(folder: Path) -> None:
    plans = some(folder, 15)
    assert [plan.id for plan in plans] == [f"r-{i}" for i in range(15)]
    for at in (0, 5, 10):
        assert sorted(plan.calls_planned for plan in plans[at : at + 5]) == [1, 2, 3, 4, 5]
    texts = {played.calls["main"][0].messages[-1].text[:64] for played in play(plans).values()}
    assert len(texts) == 15


def test_the_order_belongs_to_the_seed(folder: Path) -> None:
    def order(seed: int) -> list[int]:
        return [plan.calls_planned for plan in some(folder, 15, seed=seed)]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_sessions_start_at_the_rate_and_end_at_the_limit(folder: Path) -> None:
    plans = some(folder, 100, rate=2.0, limit=7)
    assert [plan.start_at_s for plan in plans] == [0.25 + 0.5 * i for i in range(7)]


def test_max_calls_speed_and_the_longest_pause_are_kept(folder: Path) -> None:
    plans = some(folder, 5, max_calls=3, speed=10.0, max_pause_s=1.5)
    assert sorted(plan.calls_planned for plan in plans) == [1, 2, 3, 3, 3]
    for plan, played in zip(plans, play(plans).values(), strict=True):
        assert played.count == plan.calls_planned
        waits = [pause.seconds for pause in played.pauses.get("main", [])]
        assert waits == [1.0, 1.5][: plan.calls_planned - 1]


def test_max_calls_holds_for_each_sub_agent_and_drops_forks_after_the_last_call(tmp_path: Path) -> None:
    subs = sub_agent(5.0, [request(range(100, 106 + k)) for k in range(4)])
    write(tmp_path, session([request(range(9)), subs, request(range(10), 50.0), subs | {"t": 60.0}]))
    (plan,) = some(tmp_path, 1, max_calls=2)
    (played,) = play([plan]).values()
    assert {agent: len(calls) for agent, calls in played.calls.items()} == {"main": 2, "sub-1": 2}
    assert plan.calls_planned == played.count == 4


@pytest.mark.parametrize(("streaming", "expected"), [("force", True), ("recorded", False)])
def test_streaming_is_forced_or_as_recorded(folder: Path, streaming: str, expected: bool) -> None:
    plans = some(folder, 1, streaming=streaming)
    calls = [call for played in play(plans).values() for call in played.calls["main"]]
    assert {call.stream for call in calls} == {expected}


def test_a_bad_file_stops_the_replay_unless_it_may_be_skipped(folder: Path) -> None:
    (folder / "3.json").write_text('{"block_size": 64,\n "requests": 7}')
    with pytest.raises(InvalidFile, match=r"3\.json:\d+: .*requests"):
        some(folder, 1)
    plans = some(folder, 4, skip_bad=True)
    assert sorted(plan.calls_planned for plan in plans) == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"speed": -1}, {"shrink": 0}, {"max_calls": 0}, {"limit": 0}, {"max_pause_s": -1}]
)
def test_options_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TraceOptions(**wrong)


@needs_real
def test_the_real_sessions_with_the_default_options_make_the_load_they_were_sized_for() -> None:
    plans = some(REAL, 220)
    assert 54 < plans[-1].start_at_s < 55
    played = play(plans)
    calls = [call for one in played.values() for made in one.calls.values() for call in made]
    assert all(one.succeeded for one in played.values())
    assert sum(plan.calls_planned for plan in plans) == len(calls)
    assert 1500 < len(calls) < 1900
    assert 40 < sum(call.max_tokens for call in calls) / len(calls) < 60
    assert max(pause.seconds for one in played.values() for waits in one.pauses.values() for pause in waits) <= 2.0
