"""The load that is started by hand: once, with a seed of its own, and what becomes of one that does not start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.by_hand import load as module
from chaos.by_hand.load import HandLoad
from chaos.cli.up import _experiment
from chaos.runner.counters import Counters
from chaos.runner.setup import Setup
from reports.shared.errors import TargetFailed, UserError


class Processes:
    """A load generator in memory. `posts`: it posts that its load has started; `exits`: it ends at once."""

    def __init__(self) -> None:
        self.load: HandLoad | None = None
        self.posts, self.exits = True, False
        self.ended = asyncio.Event()
        self.killed = 0
        self.configs: list[dict[str, Any]] = []

    async def spawn(self, spec: object) -> None:
        assert self.load is not None
        self.ended.clear()
        if self.exits:
            self.ended.set()
        elif self.posts:
            asyncio.get_running_loop().call_later(0.01, self.post, self.load)

    def post(self, load: HandLoad) -> None:
        data = {"load_started": 1_800_000_000_000_000_000, "calls": {"sent": 1}}
        facts = {"process": "locust", "incarnation": 1, "kind": "load", "data": data}
        if load.on_counters(cast(Counters, SimpleNamespace(**facts)))["command"] == "stop":
            self.ended.set()

    async def wait(self, name: str) -> int:
        await self.ended.wait()
        return 0

    async def kill(self, name: str) -> int:
        self.killed += 1
        self.ended.set()
        return -9


@pytest.fixture
async def processes() -> Processes:
    return Processes()


@pytest.fixture
async def load(processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HandLoad:
    def spec(folder: object, config: dict[str, Any], **_: object) -> None:
        processes.configs.append(config)

    monkeypatch.setattr(module, "load_spec", spec)
    monkeypatch.setattr(module, "ENDS_WITHIN_S", 0.1)
    watch = SimpleNamespace(log_excerpt=lambda name: f"\n    log: {name}.log")
    setup = SimpleNamespace(
        url="http://127.0.0.1:1",
        headers=None,
        folder=tmp_path,
        token="",
        collector_url="",
        spawn=processes.spawn,
        supervisor=processes,
        watch=watch,
    )
    experiment = _experiment("multi-cloud", None, "chat", None, 0)
    made = HandLoad(experiment, cast(Setup, setup), lambda fault_id: None)
    processes.load = made
    return made


async def start(load: HandLoad, profile: str | None = None, seed: int | None = None) -> None:
    await load.start(profile, seed, lambda text: None)


async def test_each_start_has_another_seed_unless_one_is_given(load: HandLoad, processes: Processes) -> None:
    seeds = []
    for seed in (None, None, 99, None):
        await start(load, seed=seed)
        seeds.append(load.facts()["seed"])
        processes.ended.set()
        await load.stop()
    assert seeds == [7, 8, 99, 10]
    assert len({config["run"] for config in processes.configs}) == 4


async def test_a_load_that_runs_is_not_started_again(load: HandLoad) -> None:
    await start(load)
    with pytest.raises(UserError, match=r"running already \(profile chat\)"):
        await start(load)
    assert load.facts()["running"]
    assert load.facts()["calls"] == {"sent": 1}


async def test_an_unknown_profile_starts_nothing_and_says_nothing(load: HandLoad, processes: Processes) -> None:
    said: list[str] = []
    with pytest.raises(UserError, match='no profile "nope"'):
        await load.start("nope", None, said.append)
    assert (said, processes.configs, load.facts()["running"]) == ([], [], False)


async def test_a_load_generator_that_dies_at_its_start_is_told_at_once(load: HandLoad, processes: Processes) -> None:
    processes.exits = True
    async with asyncio.timeout(5):
        with pytest.raises(TargetFailed, match=r"the load did not start\n    log: locust\.log"):
            await start(load)
    assert not load.running
    processes.exits = False
    await start(load)


async def test_a_load_that_does_not_start_in_time_is_ended(
    load: HandLoad, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECTED_WITHIN_S", 0.05)
    processes.posts = False
    with pytest.raises(TargetFailed, match="the load did not start"):
        await start(load)
    assert (processes.killed, load.running) == (1, False)


async def test_a_load_that_is_stopped_while_it_starts_says_so(load: HandLoad, processes: Processes) -> None:
    processes.posts = False
    starting = asyncio.create_task(start(load))
    await asyncio.sleep(0)
    await load.stop()
    async with asyncio.timeout(5):
        with pytest.raises(TargetFailed, match="the load was stopped before it had started"):
            await starting
    assert not load.running


async def test_a_load_that_does_not_end_is_killed(load: HandLoad, processes: Processes) -> None:
    await start(load)
    await load.stop()
    await load.stop()
    assert processes.killed == 1
    assert load.facts() == {
        "running": False,
        "profile": "",
        "seed": None,
        "level": 1.0,
        "sessions": {},
        "calls": {},
        "ttft_ms_recent": None,
    }


async def test_the_level_stays_over_a_restart_and_has_limits(load: HandLoad) -> None:
    load.set_level(2.5)
    await load.start(None, None, lambda text: None)
    assert (load.level, load.facts()["level"]) == (2.5, 2.5)
    for wrong in (0.0, 11.0, float("nan")):
        with pytest.raises(UserError, match=r"must be 0.1 to 10 times the profile"):
            load.set_level(wrong)
    await load.stop()
    assert load.level == 2.5
