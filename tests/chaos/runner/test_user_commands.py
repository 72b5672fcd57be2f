"""Commands of exec faults with a real shepherd: whatever ends the run, the revert is run, and nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.faults.system.exec import Exec
from chaos.faults.world import Command, FaultError
from chaos.runner.live_world import LiveWorld
from chaos.runner.load_control import LoadControl
from chaos.runner.user_commands import UserCommands
from chaos.supervision.identity import identify
from chaos.supervision.supervisor import Supervisor
from chaos.supervision.undo import pending, read_file
from chaos.testing.memory_world import play_life
from tests.support.paths import ROOT
from tests.support.shepherd_helpers import all_gone, eventually, eventually_async, pid_in


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run-1"
    for name in ("logs", "children"):
        (folder / name).mkdir(parents=True)
    return folder


def supervise(run: Path) -> Supervisor:
    return Supervisor(run_dir=run, owner=run.name, token="secret")


async def no_start(name: str, cold_start_s: float) -> None:
    raise AssertionError(name)


def world_of(supervisor: Supervisor, run: Path) -> LiveWorld:
    commands = UserCommands(supervisor, run, str(run.parent))
    return LiveWorld(supervisor, {}, "secret", no_start, LoadControl(), commands=commands)


def touching(**more: object) -> Exec:
    """Its fault is a file. The folder of the experiment is the parent of the run's."""
    given = {
        "inject": ["touch", "fault"],
        "confirm": ["test", "-e", "fault"],
        "revert": ["rm", "-f", "fault"],
        "verify": ["sh", "-c", "! test -e fault"],
        "timeout": "5s",
    }
    return Exec.model_validate({**given, **more})


async def test_a_whole_life_leaves_nothing_and_logs_each_command(run: Path) -> None:
    async with supervise(run) as supervisor, world_of(supervisor, run) as world:
        inject = ["sh", "-c", "touch fault; echo $BROWNOUT_TOKEN$BROWNOUT_PROCESS injected"]
        assert await play_life(touching(inject=inject).build("f1", ["system"], 7), world) is None
    assert not (run.parent / "fault").exists()
    assert pending(run / "undo.jsonl") == []
    assert (run / "logs" / "f1-inject.log").read_text() == "injected\n"
    assert supervisor.failed_undos == []


async def test_a_cancelled_inject_is_killed_with_its_processes_before_the_revert(run: Path) -> None:
    file = run / "pid"
    endless = ["sh", "-c", f"(setsid sh -c 'echo $$ > {file}.new; mv {file}.new {file}; exec sleep 60' &); sleep 60"]
    async with supervise(run) as supervisor, world_of(supervisor, run) as world:
        running = asyncio.create_task(world.run_command("f1", "inject", Command(tuple(endless), 30.0)))
        await eventually_async(file.exists, "the command runs")
        daemon = pid_in(file)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert all_gone([daemon])


async def test_what_a_revert_starts_outlives_the_run_and_what_inject_starts_does_not(run: Path) -> None:
    async with supervise(run) as supervisor, world_of(supervisor, run) as world:
        daemons = []
        for stage in ("inject", "revert"):
            file = run / stage
            starts = f"(setsid sh -c 'echo $$ > {file}.new; mv {file}.new {file}; exec sleep 60' &)"
            result = await world.run_command("f1", stage, Command(("sh", "-c", starts), 5.0))
            assert result.ok, result.why
            daemons.append(await asyncio.to_thread(pid_in, file))
    injected, reverted = daemons
    try:
        assert all_gone([injected])
        assert not all_gone([reverted])
    finally:
        os.kill(reverted.pid, signal.SIGKILL)


async def test_abandoned_reverts_are_killed_and_the_shepherd_runs_them(run: Path) -> None:
    slow = touching(
        revert=["sh", "-c", "echo begun >> reverts; test -e late || { touch late; sleep 60; }; rm -f fault"]
    )
    commands_of_run: list[UserCommands] = []
    async with supervise(run) as supervisor:
        commands = UserCommands(supervisor, run, str(run.parent))
        commands_of_run.append(commands)
        async with LiveWorld(supervisor, {}, "secret", no_start, LoadControl(), commands=commands) as world:
            fault = slow.build("f1", ["system"], 7)
            await fault.inject(world)
            reverting = asyncio.create_task(fault.revert(world))
            await eventually_async((run.parent / "late").exists, "the revert runs")
            commands.abandon()
            with pytest.raises(FaultError, match="the run did not need it any more"):
                await reverting
            with pytest.raises(FaultError, match="the shepherd runs"):
                await fault.revert(world)
    assert not (run.parent / "fault").exists()
    assert (run.parent / "reverts").read_text().count("begun") == 2
    assert [one.done_by for one in read_file(run / "undo.jsonl").faults] == ["shepherd"]


async def test_a_revert_that_hangs_is_killed_and_stays_pending_with_its_reason(run: Path) -> None:
    async with supervise(run) as supervisor, world_of(supervisor, run) as world:
        fault = touching(revert=["sleep", "60"], timeout="300ms").build("f1", ["system"], 7)
        await fault.inject(world)
        with pytest.raises(FaultError, match=r"revert: sleep 60: did not end within 0.3 s, and was killed"):
            await fault.revert(world)
    (left,) = pending(run / "undo.jsonl")
    assert left.undo[0]["argv"] == ["sleep", "60"]
    assert supervisor.failed_undos == [
        "f1: exec sleep 60: did not end within 0.3 s, and was killed; it printed nothing"
    ]


RUNNER = """
import asyncio, json, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.chaos.runner.test_user_commands import supervise, touching, world_of

async def main(run):
    async with supervise(run) as supervisor, world_of(supervisor, run) as world:
        fault = touching(inject=["sh", "-c", "touch fault; sleep 60; touch fault"], timeout="30s",
            revert=["sh", "-c", "rm -f fault; echo $LENT > reverted"]).build("f1", ["system"], 7)
        print(json.dumps(supervisor.shepherd_pid), flush=True)
        await fault.inject(world)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("killed", ["runner", "shepherd"])
def test_a_kill_while_a_command_hangs_ends_it_and_then_runs_the_revert(run: Path, killed: str) -> None:
    """The shepherd reverts, with the environment of the runner, which is on no disk; without it, the runner does."""
    program = [sys.executable, "-c", RUNNER.format(root=str(ROOT)), str(run)]
    environment = {**os.environ, "LENT": "lent"}
    runner = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    try:
        assert runner.stdout is not None
        shepherd = identify(json.loads(runner.stdout.readline()))
        assert shepherd is not None
        eventually((run.parent / "fault").exists, "the command runs")
        os.kill(runner.pid if killed == "runner" else shepherd.pid, signal.SIGKILL)
        eventually(lambda: not pending(run / "undo.jsonl"), "the fault is undone")
        eventually(lambda: all_gone([shepherd]), "the shepherd gone")
        assert not (run.parent / "fault").exists()
        assert (run.parent / "reverted").read_text() == "lent\n"
        assert "lent" not in (run / "undo.jsonl").read_text()
    finally:
        runner.kill()
        runner.communicate()
