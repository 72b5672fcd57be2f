"""The supervisor with a real shepherd and real processes."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from chaos.supervision import link as shepherd_link
from chaos.supervision.identity import Identity, descendants, identify, state_of
from chaos.supervision.supervisor import Child, ShepherdGone, Supervisor, child_environment
from chaos.supervision.undo import UndoNotWritten, pending
from reports.shared.errors import TargetFailed
from tests.support.shepherd_helpers import (
    all_gone,
    eventually,
    eventually_async,
    pid_in,
    spec,
    undo_server,
    with_daemon,
)

TRAP = "trap 'echo {name} >> {file}; exit 0' TERM INT; sleep 600 & echo ready; while :; do wait; done"
"""It starts nothing after it is ready: a shell that is stopped while it starts a program may never report that."""


class Exits:
    """Records the calls of `on_exit`."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int, bool]] = []

    def __call__(self, child: Child, status: int, expected: bool) -> None:
        self.seen.append((child.name, child.incarnation, status, expected))


def supervise(folder: Path, **options: Any) -> Supervisor:
    """A supervisor for a run in this folder."""
    return Supervisor(run_dir=folder, owner="run-1", token="secret", **options)


async def trapping(supervisor: Supervisor, folder: Path, name: str, kind: str = "replica") -> Child:
    """A running child that on SIGTERM or SIGINT appends its name to a file and exits with 0."""
    command = TRAP.format(name=name, file=folder / "ended")
    child = await supervisor.spawn(spec(folder, name, "sh", "-c", command, kind=kind))
    log = folder / f"{name}.log"
    await eventually_async(lambda: "ready" in log.read_text(), f"{name} ready")
    return child


async def test_eight_children_start_concurrently_and_all_are_stopped_at_the_end(tmp_path: Path) -> None:
    exits = Exits()
    async with supervise(tmp_path, on_exit=exits) as supervisor:
        children = await asyncio.gather(*(supervisor.spawn(spec(tmp_path, f"tpu-{n}")) for n in range(8)))
        running = {process.pid for process in descendants(supervisor.shepherd_pid)}
        assert running == {child.pid for child in children}
        assert all(supervisor.state(child.name) == "running" for child in children)
        everyone = [child.identity for child in children]
        shepherd = identify(supervisor.shepherd_pid)
    assert shepherd is not None
    assert all_gone([*everyone, shepherd])
    assert sorted(exits.seen) == [(f"tpu-{n}", 1, -signal.SIGINT, True) for n in range(8)]


async def test_kill_waits_until_the_process_is_reaped_and_incarnations_are_counted(tmp_path: Path) -> None:
    exits = Exits()
    async with supervise(tmp_path, on_exit=exits) as supervisor:
        first = await supervisor.spawn(spec(tmp_path, "tpu-0"))
        assert await supervisor.kill("tpu-0") == -signal.SIGKILL
        assert supervisor.state("tpu-0") == "gone"
        assert not Path(f"/proc/{first.pid}").exists()
        assert await supervisor.kill("tpu-0") == -signal.SIGKILL  # again: no harm
        second = await supervisor.spawn(spec(tmp_path, "tpu-0"))
        assert (first.incarnation, second.incarnation) == (1, 2)
        assert supervisor.child("tpu-0") == second
        assert second.started_at > first.started_at
        assert supervisor.state("tpu-0") == "running"
    assert exits.seen == [("tpu-0", 1, -signal.SIGKILL, True), ("tpu-0", 2, -signal.SIGINT, True)]


async def test_the_exit_of_a_child_by_itself_is_not_expected(tmp_path: Path) -> None:
    exits = Exits()
    async with supervise(tmp_path, on_exit=exits) as supervisor:
        await supervisor.spawn(spec(tmp_path, "a", "sh", "-c", "exit 3"))
        await supervisor.spawn(spec(tmp_path, "b"))
        assert await supervisor.wait("a") == 3
        child = supervisor.child("b")
        assert child is not None
        os.kill(child.pid, signal.SIGSEGV)
        assert await supervisor.wait("b") == -signal.SIGSEGV
        assert await supervisor.stop("b", 1.0) == -signal.SIGSEGV
    assert exits.seen == [("a", 1, 3, False), ("b", 1, -signal.SIGSEGV, False)]


async def test_workers_that_a_child_leaves_behind_are_killed_with_it(tmp_path: Path) -> None:
    """As of nginx whose main process was killed: they would go on serving on its port."""
    async with supervise(tmp_path) as supervisor:
        pid_file = tmp_path / "worker"
        command = f"sleep 600 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait"
        child = await supervisor.spawn(spec(tmp_path, "gateway", "sh", "-c", command, kind="adapter"))
        await eventually_async(pid_file.exists, "the worker")
        worker = pid_in(pid_file)
        os.kill(child.pid, signal.SIGKILL)
        await supervisor.wait("gateway")
        await eventually_async(lambda: state_of(worker) == "gone", "the end of the worker")


async def test_stop_kills_a_child_that_does_not_exit_in_its_grace_period(tmp_path: Path) -> None:
    async with supervise(tmp_path) as supervisor:
        await trapping(supervisor, tmp_path, "good")
        command = "trap '' TERM INT; echo ready; while :; do sleep 0.02; done"
        await supervisor.spawn(spec(tmp_path, "stubborn", "sh", "-c", command))
        await eventually_async(lambda: "ready" in (tmp_path / "stubborn.log").read_text(), "stubborn ready")
        good, stubborn = await asyncio.gather(supervisor.stop("good", 10.0), supervisor.stop("stubborn", 0.2))
        assert (good, stubborn) == (0, -signal.SIGKILL)
    assert (tmp_path / "ended").read_text() == "good\n"


async def test_the_state_follows_sigstop_and_sigcont(tmp_path: Path) -> None:
    async with supervise(tmp_path) as supervisor:
        await supervisor.spawn(spec(tmp_path, "tpu-0"))
        await supervisor.signal("tpu-0", signal.SIGSTOP)
        await eventually_async(lambda: supervisor.state("tpu-0") == "stopped", "stopped")
        await supervisor.signal("tpu-0", signal.SIGCONT)
        await eventually_async(lambda: supervisor.state("tpu-0") == "running", "running")
        await supervisor.signal("tpu-0", signal.SIGSTOP)
        assert await supervisor.kill("tpu-0") == -signal.SIGKILL  # also while it is frozen
        assert supervisor.state("never-started") == "gone"


async def test_at_the_end_clients_are_stopped_before_servers_and_frozen_ones_resumed(tmp_path: Path) -> None:
    async with supervise(tmp_path) as supervisor:
        for name, kind in (("tpu-0", "replica"), ("other", "zoo"), ("gateway", "gateway"), ("locust", "load")):
            await trapping(supervisor, tmp_path, name, kind)
        await supervisor.signal("tpu-0", signal.SIGSTOP)
        await eventually_async(lambda: supervisor.state("tpu-0") == "stopped", "stopped")
    assert (tmp_path / "ended").read_text().split() == ["locust", "gateway", "tpu-0", "other"]


async def test_daemons_of_children_are_killed_at_the_end(tmp_path: Path) -> None:
    async with supervise(tmp_path) as supervisor:
        await supervisor.spawn(spec(tmp_path, "parent", *with_daemon(tmp_path / "pid")))
        daemon = await asyncio.to_thread(pid_in, tmp_path / "pid")
        await supervisor.kill("parent")
        assert state_of(daemon) == "running"  # it left the process group: only the end of the run reaches it
    assert state_of(daemon) == "gone"


@pytest.mark.parametrize("how", ["exception", "cancellation"])
async def test_all_processes_are_stopped_after_an_exception_or_a_cancellation(tmp_path: Path, how: str) -> None:
    everyone: list[Identity] = []
    started = asyncio.Event()

    async def run() -> None:
        async with supervise(tmp_path) as supervisor:
            child = await supervisor.spawn(spec(tmp_path, "tpu-0"))
            await supervisor.signal("tpu-0", signal.SIGSTOP)
            shepherd = identify(supervisor.shepherd_pid)
            assert shepherd is not None
            everyone.extend([child.identity, shepherd])
            started.set()
            if how == "exception":
                raise ZeroDivisionError
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await started.wait()
    if how == "cancellation":
        task.cancel()
        await asyncio.wait({task}, timeout=0)  # let it begin to stop, and cancel it again meanwhile
        task.cancel()
    with pytest.raises((ZeroDivisionError, asyncio.CancelledError)):
        await task
    assert len(everyone) == 2
    assert all_gone(everyone)


async def test_a_command_that_cannot_be_started_is_named_in_the_error(tmp_path: Path) -> None:
    async with supervise(tmp_path) as supervisor:
        with pytest.raises(TargetFailed, match=r"tpu-0 cannot be started \(/no/such --x\): .*No such file"):
            await supervisor.spawn(spec(tmp_path, "tpu-0", "/no/such", "--x"))
        await supervisor.spawn(spec(tmp_path, "tpu-0"))
        with pytest.raises(TargetFailed, match="tpu-0 is already running"):
            await supervisor.spawn(spec(tmp_path, "tpu-0"))
        with pytest.raises(LookupError, match="no process 'tpu-9' was started; started were: tpu-0"):
            await supervisor.kill("tpu-9")


async def test_an_exception_in_a_callback_does_not_affect_the_supervisor(tmp_path: Path) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with supervise(tmp_path, on_exit=broken) as supervisor:
        await supervisor.spawn(spec(tmp_path, "tpu-0"))
        assert await supervisor.kill("tpu-0") == -signal.SIGKILL
    assert isinstance(reported[0]["exception"], ZeroDivisionError)


async def test_every_wait_raises_when_the_shepherd_is_killed(tmp_path: Path) -> None:
    gone: list[ShepherdGone] = []
    supervisor = supervise(tmp_path, on_gone=gone.append)
    with pytest.raises(ShepherdGone, match="killed by SIGKILL"):  # noqa: PT012 - raised on leaving the block
        async with supervisor:
            child = await supervisor.spawn(spec(tmp_path, "tpu-0"))
            waiting = asyncio.create_task(supervisor.wait("tpu-0"))
            os.kill(supervisor.shepherd_pid, signal.SIGKILL)
            with pytest.raises(ShepherdGone):
                await asyncio.wait_for(waiting, 5.0)
            assert supervisor.gone is gone[0]
            with pytest.raises(ShepherdGone):
                await supervisor.spawn(spec(tmp_path, "tpu-1"))
            with pytest.raises(ShepherdGone):
                await supervisor.kill("tpu-0")
            await eventually_async(lambda: supervisor.state("tpu-0") == "gone", "the child gone")
    assert all_gone([child.identity])
    assert len(gone) == 1


async def test_a_shepherd_that_does_not_reply_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shepherd_link, "REPLY_WITHIN_S", 2.0)
    supervisor = supervise(tmp_path)
    with pytest.raises(ShepherdGone):  # noqa: PT012 - raised on leaving the block
        async with supervisor:
            child = await supervisor.spawn(spec(tmp_path, "tpu-0"))
            os.kill(supervisor.shepherd_pid, signal.SIGSTOP)
            with pytest.raises(ShepherdGone, match=r"did not reply within 2 s"):
                await supervisor.kill("tpu-0")
    assert all_gone([child.identity])


async def test_a_fault_whose_undo_cannot_be_written_is_not_armed(tmp_path: Path) -> None:
    (tmp_path / "undo.jsonl").symlink_to("/dev/full")  # a real ENOSPC
    async with supervise(tmp_path) as supervisor:
        await supervisor.spawn(spec(tmp_path, "tpu-0"))
        with pytest.raises(UndoNotWritten, match=r"fault f1: .*the disk is full"):
            await supervisor.arm("f1", [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT"}])
    assert "not a regular file" in supervisor.failed_undos[0]  # it is not read: reading /dev/full never ends


async def test_an_armed_signal_has_the_identity_of_its_process(tmp_path: Path) -> None:
    async with supervise(tmp_path) as supervisor:
        child = await supervisor.spawn(spec(tmp_path, "tpu-0"))
        await supervisor.arm("f1", [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT"}])
        await supervisor.arm("f2", [{"do": "start", "process": "tpu-0"}])
        (armed, _) = pending(tmp_path / "undo.jsonl")
        assert Identity.from_record(armed.undo[0]) == child.identity
        with pytest.raises(LookupError):
            await supervisor.arm("f3", [{"do": "signal", "process": "tpu-9", "signal": "SIGCONT"}])
        with pytest.raises(ValueError, match="has no undo record"):
            await supervisor.arm("f4", [])
        await supervisor.disarm("f1")
        assert [one.fault for one in pending(tmp_path / "undo.jsonl")] == ["f2"]


async def test_the_shepherd_undoes_one_fault_on_request(tmp_path: Path) -> None:
    exits = Exits()
    async with supervise(tmp_path, on_exit=exits) as supervisor:
        await supervisor.spawn(spec(tmp_path, "tpu-0"))
        await supervisor.arm("f1", [{"do": "start", "process": "tpu-0"}])
        await supervisor.kill("tpu-0")
        assert await supervisor.undo("f1") == []
        child = supervisor.child("tpu-0")
        assert child is not None
        assert child.incarnation == 2
        assert supervisor.state("tpu-0") == "running"
        await supervisor.signal("tpu-0", signal.SIGSTOP)
        await supervisor.arm("f2", [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT"}])
        assert await supervisor.undo("f2") == []
        await eventually_async(lambda: supervisor.state("tpu-0") == "running", "resumed")
    assert [seen[:2] for seen in exits.seen] == [("tpu-0", 1), ("tpu-0", 2)]


async def test_armed_faults_are_undone_at_the_end_and_failures_are_reported(tmp_path: Path) -> None:
    with undo_server() as (url, got):
        async with supervise(tmp_path) as supervisor:
            for fault, path in (("f1", "/ok"), ("f2", "/broken"), ("f3", "/ok-too")):
                await supervisor.arm(fault, [{"do": "request", "method": "DELETE", "url": url + path}])
            await supervisor.disarm("f3")
        assert [path for _, path, _ in got] == ["/broken", "/ok"]  # the newest first
        assert supervisor.failed_undos == [f"f2: request DELETE {url}/broken: status 500"]
    assert [one.fault for one in pending(tmp_path / "undo.jsonl")] == ["f2"]


def test_the_environment_of_a_child_has_no_proxies_and_no_telemetry_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unwanted = ("OTEL_TRACES_SAMPLER", "HTTP_PROXY", "https_proxy", "NO_PROXY", "all_proxy")
    for name in (*unwanted, "BROWNOUT_TOKEN", "BROWNOUT_PROCESS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("KEPT", "y")
    found = child_environment({"BROWNOUT_TOKEN": "mine"})
    assert not set(unwanted) & set(found)
    assert (found["BROWNOUT_TOKEN"], found["KEPT"], found["PATH"]) == ("mine", "y", os.environ["PATH"])
    assert "BROWNOUT_PROCESS" not in found


async def test_heartbeats_renew_the_lease(tmp_path: Path) -> None:
    async with supervise(tmp_path, lease_s=1.0) as supervisor:
        child = await supervisor.spawn(spec(tmp_path, "tpu-0", "sleep", "2.5"))
        assert await supervisor.wait("tpu-0") == 0  # it exits by itself after more than two leases
        assert supervisor.gone is None
    assert all_gone([child.identity])


async def test_a_blocked_event_loop_loses_the_lease(tmp_path: Path) -> None:
    supervisor = supervise(tmp_path, lease_s=1.0)
    with pytest.raises(ShepherdGone, match=r"no message from the runner for 1 s"):  # noqa: PT012 - on leaving
        async with supervisor:
            child = await supervisor.spawn(spec(tmp_path, "tpu-0"))
            eventually(lambda: all_gone([child.identity]), "the child gone")  # blocks the event loop on purpose


async def test_a_cancellation_that_comes_with_the_reply_is_not_lost(tmp_path: Path) -> None:
    """`asyncio.wait_for` of Python 3.11 swallows it: the process would be waited for, for all its grace."""
    async with supervise(tmp_path) as supervisor:
        await supervisor.spawn(spec(tmp_path, "tpu-0", "sh", "-c", "trap '' TERM; while :; do sleep 0.02; done"))
        stopping = asyncio.ensure_future(supervisor.stop("tpu-0", 60))
        await asyncio.sleep(0)
        [reply] = supervisor._link._replies.values()
        reply.set_result({"state": "running"})
        stopping.cancel()
        await asyncio.wait({stopping}, timeout=5)
        assert stopping.cancelled()
