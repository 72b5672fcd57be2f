"""Processes and their identity, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from chaos.supervision.identity import (
    Identity,
    WrongProcess,
    boot_id,
    descendants,
    identify,
    read_stat,
    run_members,
    send_signal,
    state_of,
)
from tests.support.shepherd_helpers import eventually


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"], env={**os.environ, "BROWNOUT_RUN": f"test-{os.getpid()}"})
    yield process
    process.kill()
    process.wait()


def test_a_process_name_with_spaces_and_parentheses_is_parsed(tmp_path_factory: pytest.TempPathFactory) -> None:
    odd = tmp_path_factory.mktemp("bin") / "a) R (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([str(odd), "600"])
    try:
        stat = read_stat(process.pid)
        assert stat is not None
        assert (stat.pid, stat.parent) == (process.pid, os.getpid())
    finally:
        process.kill()
        process.wait()


def test_a_process_keeps_its_identity_until_it_is_reaped(sleeper: subprocess.Popen[bytes]) -> None:
    who = identify(sleeper.pid)
    assert who is not None
    assert state_of(who) == "running"
    send_signal(who, signal.SIGSTOP)
    eventually(lambda: state_of(who) == "stopped", "stopped")
    send_signal(who, signal.SIGKILL)
    eventually(lambda: state_of(who) == "gone", "a zombie counts as gone")
    assert read_stat(sleeper.pid) is not None
    sleeper.wait()
    assert identify(sleeper.pid) is None
    with pytest.raises(WrongProcess):
        send_signal(who, signal.SIGKILL)


@pytest.mark.parametrize(
    "other",
    [
        lambda who: who._replace(start_time=who.start_time - 1),
        lambda who: who._replace(boot_id="another boot"),
        lambda who: who._replace(pid=1),
        lambda who: who._replace(pid=0),
        lambda who: who._replace(pid=-1),
    ],
)
def test_a_process_with_another_identity_is_never_signalled(
    sleeper: subprocess.Popen[bytes], other: Callable[[Identity], Identity]
) -> None:
    who = identify(sleeper.pid)
    assert who is not None
    with pytest.raises(WrongProcess):
        send_signal(other(who), signal.SIGKILL)
    assert sleeper.poll() is None
    assert state_of(who) == "running"


def test_a_process_that_reuses_a_pid_is_never_signalled() -> None:
    try:
        with open("/proc/sys/kernel/ns_last_pid", "r+") as last:
            gone = subprocess.Popen(["true"])
            who = identify(gone.pid)
            assert who is not None
            gone.wait()
            eventually(lambda: _ticks() > who.start_time, "a clock tick later")
            last.write(str(gone.pid - 1))
            last.flush()
            second = subprocess.Popen(["sleep", "600"])
    except OSError as error:
        pytest.skip(f"this machine does not allow to choose a pid: {error}")
    try:
        if second.pid != who.pid:
            pytest.skip("another process got the pid first")
        assert state_of(who) == "gone"
        with pytest.raises(WrongProcess, match="belongs to another process now"):
            send_signal(who, signal.SIGKILL)
        assert second.poll() is None
    finally:
        second.kill()
        second.wait()


def _ticks() -> int:
    with open("/proc/uptime") as file:
        return int(float(file.read().split()[0]) * os.sysconf("SC_CLK_TCK"))


def test_processes_of_a_run_are_found_by_their_environment_variable(sleeper: subprocess.Popen[bytes]) -> None:
    eventually(lambda: run_members("BROWNOUT_RUN", f"test-{os.getpid()}"), "found")
    assert [one.pid for one in run_members("BROWNOUT_RUN", f"test-{os.getpid()}")] == [sleeper.pid]
    assert run_members("BROWNOUT_RUN", "test-") == []


def test_descendants_include_grandchildren() -> None:
    process = subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"], start_new_session=True)
    try:
        eventually(lambda: len(descendants(process.pid)) == 2, "two grandchildren")
        assert {one.pid for one in descendants(process.pid)} < {one.pid for one in descendants(os.getpid())}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_record_without_start_time_and_boot_id_is_rejected() -> None:
    with pytest.raises(ValueError, match="needs pid, start_time and boot_id"):
        Identity.from_record({"pid": 7})
    assert Identity.from_record({"pid": 7, "start_time": 8, "boot_id": boot_id()}).start_time == 8
