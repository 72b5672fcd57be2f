from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from loadprofiles.replay import FORMATS, open_trace, plan_trace, replay_sessions
from loadprofiles.sessions.session import SessionPlan, share_of_worker
from reports.shared.errors import InvalidFile
from tests.support.recordings import REAL, make_trace, needs_real, request, session, sub_agent, write
from tests.support.session_player import play


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(1, 6):
        requests = [request(range(9 + k), 10.0 * k, think_time=10.0 * k, type="n") for k in range(n)]
        write(tmp_path, session(requests), f"{n}.json")
    return tmp_path


def some(folder: Path, count: int, seed: int = 7, **options: object) -> list[SessionPlan]:
    return list(islice(replay_sessions(folder, options, seed, "r"), count))


def test_recordings_repeat_with_new_ids_if_more_sessions_are_needed(folder: Path) -> None:
    plans = some(folder, 15)
    assert [plan.id for plan in plans] == [f"r-{i}" for i in range(15)]
    for at in (0, 5, 10):
        assert sorted(plan.calls_planned for plan in plans[at : at + 5]) == [1, 2, 3, 4, 5]
    texts = {played.calls["main"][0].messages[-1].text[:64] for played in play(plans).values()}
    assert len(texts) == 15


def test_the_order_depends_on_the_seed(folder: Path) -> None:
    def order(seed: int) -> list[int]:
        return [plan.calls_planned for plan in some(folder, 15, seed=seed)]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_sessions_start_at_the_rate_and_end_at_the_limit(folder: Path) -> None:
    plans = some(folder, 100, rate=2.0, limit=7)
    assert [plan.start_at_s for plan in plans] == [0.25 + 0.5 * i for i in range(7)]


def test_max_calls_speed_and_max_pause_are_applied(folder: Path) -> None:
    plans = some(folder, 5, max_calls=3, speed=10.0, max_pause_s=1.5)
    assert sorted(plan.calls_planned for plan in plans) == [1, 2, 3, 3, 3]
    for plan, played in zip(plans, play(plans).values(), strict=True):
        assert played.count == plan.calls_planned
        waits = [pause.seconds for pause in played.pauses.get("main", [])]
        assert waits == [1.0, 1.5][: plan.calls_planned - 1]


def test_max_calls_applies_to_each_sub_agent_and_drops_later_forks(tmp_path: Path) -> None:
    subs = sub_agent(5.0, [request(range(100, 106 + k)) for k in range(4)])
    write(tmp_path, session([request(range(9)), subs, request(range(10), 50.0), subs | {"t": 60.0}]))
    (plan,) = some(tmp_path, 1, max_calls=2)
    (played,) = play([plan]).values()
    assert {agent: len(calls) for agent, calls in played.calls.items()} == {"main": 2, "sub-1": 2}
    assert plan.calls_planned == played.count == 4


@pytest.mark.parametrize(("streaming", "expected"), [("force", True), ("recorded", False)])
def test_calls_stream_if_forced_or_as_recorded(folder: Path, streaming: str, expected: bool) -> None:
    plans = some(folder, 1, streaming=streaming)
    calls = [call for played in play(plans).values() for call in played.calls["main"]]
    assert {call.stream for call in calls} == {expected}


def test_an_invalid_file_stops_the_replay_unless_skipped(folder: Path) -> None:
    (folder / "3.json").write_text('{"block_size": 64,\n "requests": 7}')
    with pytest.raises(InvalidFile, match=r"3\.json:\d+: .*requests"):
        some(folder, 1)
    plans = some(folder, 4, skip_bad=True)
    assert sorted(plan.calls_planned for plan in plans) == [1, 2, 4, 5]


@needs_real
def test_real_sessions_with_the_defaults_make_the_load_they_were_sized_for() -> None:
    plans = some(REAL, 220)
    assert 54 < plans[-1].start_at_s < 55
    played = play(plans)
    calls = [call for one in played.values() for made in one.calls.values() for call in made]
    assert all(one.succeeded for one in played.values())
    assert sum(plan.calls_planned for plan in plans) == len(calls)
    assert 1500 < len(calls) < 1900
    assert 40 < sum(call.max_tokens for call in calls) / len(calls) < 60
    assert max(pause.seconds for one in played.values() for waits in one.pauses.values() for pause in waits) <= 2.0


@pytest.mark.parametrize("name", FORMATS)
def test_worker_k_of_n_replays_the_sessions_with_index_k_modulo_n(tmp_path: Path, name: str) -> None:
    make_trace(tmp_path, name)

    def plans(worker: int, workers: int, count: int) -> list[SessionPlan]:
        whole = replay_sessions(tmp_path, {}, 7, "r")
        return list(islice(share_of_worker(whole, worker, workers), count))

    alone = plans(0, 1, 12)
    together = sorted((plan for k in range(3) for plan in plans(k, 3, 4)), key=lambda plan: plan.index)
    assert [(p.id, p.start_at_s, p.calls_planned) for p in together] == [
        (p.id, p.start_at_s, p.calls_planned) for p in alone
    ]
    assert play(together) == play(alone)


def test_a_scale_multiplies_the_rate_of_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "hour.csv"
    rows = "".join(f"2023-11-16 18:17:0{second},48,3\n" for second in range(8))
    path.write_text(f"TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")
    evenly = open_trace(path, {"rate": 4.0})
    assert [plan.start_at_s for plan in islice(plan_trace(evenly, 7, "r", 0.5), 3)] == [0.25, 0.75, 1.25]
    recorded = open_trace(path, {"rate": "recorded", "speed": 1.0})
    assert [plan.start_at_s for plan in islice(plan_trace(recorded, 7, "r", 0.5), 4)] == [0.0, 2.0, 4.0, 6.0]
