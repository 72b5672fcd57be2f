"""Confirmation by shedding: when the service is down, the share of good calls, and the phases."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from chaos.runner import confirmation
from chaos.runner.confirmation import LiveShare, confirm, grace_s, is_down
from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import EventLog
from tests.support.run_helpers import events, write_experiment

GRACE_S = 0.01


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def watched(*counts: tuple[float, int, int]) -> LiveShare:
    """Counters by time: good calls and calls sent, both cumulative. The clock is at the last time."""
    clock = Clock()
    watch = LiveShare(clock)
    for clock.now, good, sent in counts:
        watch.observe({"good_calls": good, "calls": {"sent": sent}})
    return watch


@pytest.mark.parametrize(
    ("share", "baseline", "down"),
    [(0.69, 1.0, True), (0.70, 1.0, False), (0.62, 0.9, True), (None, 1.0, False), (0.1, None, False), (0, 0, False)],
)
def test_the_service_is_down_below_70_percent_of_the_baseline(
    share: float | None, baseline: float | None, down: bool
) -> None:
    assert is_down(share, baseline) == down


def test_a_grace_period_is_the_client_timeout_plus_5_s_and_at_most_20_s() -> None:
    assert [grace_s(5.0), grace_s(600.0)] == [10.0, 20.0]


def test_a_share_is_of_the_calls_between_two_times() -> None:
    watch = watched((0.0, 0, 0), (5.0, 50, 50), (10.0, 60, 90), (15.0, 60, 90))
    assert watch.share(0.0, 5.0) == 1.0
    assert watch.share(5.0, 10.0) == 0.25
    assert watch.share(5.0, 12.0) == 0.25
    assert watch.share(10.0, 15.0) is None
    assert watch.share(-1.0, 5.0) is None
    assert watch.recent() is None


def test_counters_without_calls_are_ignored() -> None:
    watch = LiveShare(Clock())
    watch.observe({})
    assert watch.share(0.0, 1.0) is None


async def played(watch: LiveShare, folder: Path) -> tuple[list[str], list[str], list[str]]:
    """The phases, the load's commands at each wait and at the end, and the stages in the record."""
    load, log = LoadControl(), EventLog(folder / "events.jsonl")
    load.command = "run"
    phases: list[str] = []
    commands: list[str] = []

    def phase(name: str, lasts_s: float) -> None:
        assert lasts_s == GRACE_S
        phases.append(name)

    async def or_end(waiting: Awaitable[None]) -> None:
        commands.append(load.command)
        await waiting

    await confirm(watch, (0.0, 5.0), GRACE_S, load=load, events=log, phase=phase, or_end=or_end)
    log.close()
    lines = (folder / "events.jsonl").read_text().splitlines()
    return phases, [*commands, load.command], [json.loads(line)["stage"] for line in lines]


async def test_sessions_are_not_shed_if_the_service_is_not_down(tmp_path: Path) -> None:
    watch = watched((0.0, 0, 0), (5.0, 50, 50), (10.0, 90, 100))
    assert await played(watch, tmp_path) == ([], ["run"], ["well"])


async def test_sessions_are_shed_and_readmitted_if_the_service_is_down(tmp_path: Path) -> None:
    watch = watched((0.0, 0, 0), (5.0, 50, 50), (10.0, 60, 100))
    phases, commands, stages = await played(watch, tmp_path)
    assert phases == ["shedding", "readmission"]
    assert commands == ["hold", "run", "run"]
    assert stages == ["down", "readmitted", "not_recovered"]


async def test_shedding_lasts_until_the_replicas_are_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "POLL_EVERY_S", GRACE_S)
    watch = watched((0.0, 0, 0), (5.0, 50, 50), (10.0, 60, 100))
    watch.replica("tpu-0", {"running": 1, "waiting": 0})
    watch.replica("tpu-1", {"running": 0, "waiting": 0})
    assert not watch.idle
    asyncio.get_running_loop().call_later(5 * GRACE_S, watch.replica, "tpu-0", {"running": 0, "waiting": 0})
    _, commands, _ = await played(watch, tmp_path)
    assert commands.count("hold") > 2
    assert watch.idle


async def test_shedding_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "POLL_EVERY_S", GRACE_S)
    monkeypatch.setattr(confirmation, "MAX_SHEDDING_S", 4 * GRACE_S)
    watch = watched((0.0, 0, 0), (5.0, 50, 50), (10.0, 60, 100))
    watch.replica("tpu-0", {"running": 1, "waiting": 9})
    _, commands, _ = await played(watch, tmp_path)
    assert commands == ["hold"] * 4 + ["run", "run"]


@pytest.mark.long
def test_sessions_are_shed_and_readmitted_in_a_whole_run(tmp_path: Path) -> None:
    """The service is not down; `is_down` is replaced so that it says so."""
    program = tmp_path / "down.py"
    program.write_text(
        "import sys\n"
        "from chaos.cli import app\n"
        "from chaos.runner import confirmation\n"
        "answers = [True, False]\n"
        "confirmation.is_down = lambda share, baseline: answers.pop(0)\n"
        "sys.exit(app.main())\n"
    )
    experiment = write_experiment(tmp_path)
    profile = tmp_path / "small-profile.yaml"
    profile.write_text(profile.read_text() + "client: {timeout: 1s}\n")
    runs = tmp_path / "runs"
    command = [sys.executable, str(program), "run", str(experiment), "--confirm", "--quiet", "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = runs.glob("*-*")
    phases = [event["phase"] for event in events(folder, "phase")]
    assert phases[-5:] == ["recovery", "shedding", "readmission", "drain", "end"]
    assert [event["stage"] for event in events(folder, "confirmation")] == ["down", "readmitted", "recovered"]
    posts = [json.loads(line) for line in (folder / "gauges.jsonl").read_text().splitlines()]
    last = next(post["data"] for post in reversed(posts) if post["kind"] == "load")
    assert last["held"] > 10  # four per second, for six seconds
    assert last["arrivals"] == last["arrivals_planned"]
    assert json.loads((folder / "report.json").read_text())["proofs"]["loadgen"]["sound"]
