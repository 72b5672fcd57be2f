"""What ends a run early: a guardrail (also without posts), a silent process, an unexpected exit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.experiment.guardrails import parse_guardrail
from chaos.runner import run_watch
from chaos.runner.counters import Counters
from chaos.runner.early_end import EarlyEnd
from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import RunFolder
from chaos.runner.refusals import Refusals
from chaos.runner.run_watch import RunWatch
from chaos.supervision.identity import Identity
from chaos.supervision.supervisor import Child
from chaos.testing.mock_clock import run_in_virtual_time
from tests.support.run_helpers import events

GUARDRAIL = "abort if calls_failed > 2 for 5s"
LOCUST = Child("locust", "load", 1, 2**22 + 1, 0, Identity(2**22 + 1, 1, "no-such-boot"))


class Processes:
    """A supervisor whose processes run, and that notes which were killed."""

    shepherd_pid = 2**22 + 2

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.states: dict[str, str] = {}
        self.shepherd_stopped = False

    def resume_shepherd(self) -> None:
        self.shepherd_stopped = False

    def state(self, name: str) -> str:
        return self.states.get(name, "running")

    def child(self, name: str) -> Child:
        return LOCUST

    async def kill(self, name: str) -> int:
        self.killed.append(name)
        return -9


class Rig:
    def __init__(self, folder: Path, *, may_exit: bool = False, foreign: bool = False) -> None:
        self.folder = RunFolder(folder, "x")
        self.early = EarlyEnd()
        self.load = LoadControl()
        self.load.command = "run"
        self.load.started_ns = 1
        self.load.started.set()
        self.processes = Processes()
        experiment: Any = SimpleNamespace(
            guardrails=[parse_guardrail(GUARDRAIL)],
            stack=foreign or None,
            own_gateway=False,
            url=None,
            slo=SimpleNamespace(ttft_s=2.0),
        )
        self.watch = RunWatch(experiment, self.folder, self.early, self.load, {}, lambda child: may_exit)
        self.watch.supervisor = self.processes  # type: ignore[assignment]

    def post(self, at_s: float, failed: int) -> None:
        data = {
            "load_started": 1,
            "sessions": {"running": 1, "succeeded": 0, "lost": 0, "unfinished": 0},
            "calls": {"sent": failed, "ok": 0, "failed": failed},
            "good_calls": 0,
            "output_tokens": 0,
            "ttft_ms_recent": None,
        }
        self.watch.counters(Counters("locust", 1, "load", int(at_s * 1e9), data=data))

    def codes(self) -> list[int]:
        return [reason.exit_code for reason in self.early.reasons]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock is that of the event loop, and so is the clock of the silence watch."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    monkeypatch.setattr(run_watch, "time", SimpleNamespace(time=now, monotonic=now, time_ns=lambda: int(now() * 1e9)))


def test_a_guardrail_ends_the_run_on_time_although_nothing_is_posted(tmp_path: Path, wall: None) -> None:
    async def scenario() -> tuple[Rig, float]:
        rig = Rig(tmp_path)
        begun = asyncio.get_running_loop().time()
        rig.post(begun, failed=0)
        rig.post(begun + 0.25, failed=3)
        watching = asyncio.create_task(rig.watch.watch())
        while not rig.early.ending:
            await asyncio.sleep(0.05)
        after_s = asyncio.get_running_loop().time() - begun
        watching.cancel()
        return rig, after_s

    rig, after_s = run_in_virtual_time(scenario())
    assert after_s == pytest.approx(5.25, abs=0.35)
    assert rig.early.reasons[0].why == f"guardrail: {GUARDRAIL} (it was 3)"
    assert rig.codes() == [4]
    assert [event["text"] for event in events(rig.folder.path, "guardrail")] == [GUARDRAIL]


def test_a_guardrail_that_goes_on_being_true_is_said_once(tmp_path: Path) -> None:
    async def scenario() -> Rig:
        rig = Rig(tmp_path)
        rig.post(0.0, failed=0)
        for n in range(1, 40):
            rig.post(n / 4, failed=3)
        return rig

    rig = run_in_virtual_time(scenario())
    assert rig.codes() == [4]
    assert len(list(events(rig.folder.path, "guardrail"))) == 1


def test_a_stopped_load_generator_ends_the_run_and_is_killed(tmp_path: Path) -> None:
    async def scenario() -> Rig:
        rig = Rig(tmp_path)
        rig.post(0.0, failed=0)
        rig.processes.states["locust"] = "stopped"
        rig.watch._silence._clock = asyncio.get_running_loop().time
        async with asyncio.timeout(4.0):
            await rig.watch.watch()
        return rig

    rig = run_in_virtual_time(scenario())
    assert rig.codes() == [5]
    assert rig.early.reasons[0].why.startswith("the load generator (locust) is silent: no counters for 3 s")
    assert rig.processes.killed == ["locust"]


def test_a_stopped_shepherd_ends_the_run_and_continues(tmp_path: Path, wall: None) -> None:
    async def scenario() -> tuple[Rig, float]:
        rig = Rig(tmp_path)
        begun = asyncio.get_running_loop().time()
        watching = asyncio.create_task(rig.watch.watch_shepherd(cast(Any, rig.processes)))
        await asyncio.sleep(2)
        rig.processes.shepherd_stopped = True
        async with asyncio.timeout(60):
            while rig.processes.shepherd_stopped:
                await asyncio.sleep(0.05)
        after_s = asyncio.get_running_loop().time() - begun
        watching.cancel()
        return rig, after_s

    rig, after_s = run_in_virtual_time(scenario())
    assert rig.codes() == [5]
    assert rig.early.reasons[0].why.startswith(f"the shepherd (process {Processes.shepherd_pid}) was stopped for 3 s")
    assert 5 <= after_s < 6


@pytest.mark.parametrize(("expected", "may_exit", "codes"), [(False, False, [5]), (True, False, []), (False, True, [])])
def test_only_an_unexpected_exit_ends_the_run(tmp_path: Path, expected: bool, may_exit: bool, codes: list[int]) -> None:
    async def scenario() -> Rig:
        rig = Rig(tmp_path, may_exit=may_exit)
        rig.folder.log("locust").parent.mkdir(exist_ok=True)
        rig.folder.log("locust").write_text("one\nthe reason\n")
        rig.watch.exited(LOCUST, 3, expected)
        return rig

    rig = run_in_virtual_time(scenario())
    assert rig.codes() == codes
    [exited] = events(rig.folder.path, "process")
    assert exited["expected"] is (codes == [])
    if codes:
        assert "locust exited unexpectedly (exit code 3)" in rig.early.reasons[0].why
        assert "the reason" in rig.early.reasons[0].why


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


@pytest.mark.parametrize("foreign", [True, False])
def test_refused_connections_are_recorded_when_their_number_changes(tmp_path: Path, wall: None, foreign: bool) -> None:
    numbers = iter([10, 10, 12, 12, None, 13])

    async def scenario() -> Rig:
        rig = Rig(tmp_path, foreign=foreign)
        rig.watch.refusals = Refusals(lambda: next(numbers, 13))
        rig.post(asyncio.get_running_loop().time(), failed=0)
        watching = asyncio.create_task(rig.watch.watch())
        await asyncio.sleep(2.4)
        watching.cancel()
        return rig

    rig = run_in_virtual_time(scenario())
    assert [event["count"] for event in events(rig.folder.path, "refused")] == ([0, 2, 3] if foreign else [])


@pytest.mark.parametrize("dead", [True, False])
def test_a_gateway_that_died_is_not_called_too_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: bool
) -> None:
    slow = "the gateway does not carry the load: it served about 6 of 90 calls in the baseline"

    async def scenario() -> str:
        rig = Rig(tmp_path, foreign=True)
        rig.watch._url = "http://127.0.0.1:4000"
        rig.watch.carry = cast(Any, SimpleNamespace(not_carried=lambda begin_s, end_s: slow))
        return rig.watch.not_carried(5.0, 20.0)

    monkeypatch.setattr(run_watch, "refuses_connections", lambda url: dead)
    down = (
        "the gateway refuses connections, it died or stopped listening: it served about 6 of 90 calls in the baseline"
    )
    assert run_in_virtual_time(scenario()) == (down if dead else slow)
