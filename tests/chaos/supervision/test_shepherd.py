"""The shepherd as a real process, through its protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brownout.children import python_words
from chaos.supervision.identity import Identity, descendants, identify, state_of
from chaos.supervision.undo import UndoFile, pending
from tests.support.paths import ROOT
from tests.support.shepherd_helpers import all_gone, eventually, pid_in, undo_server, with_daemon


class ShepherdProcess:
    """A shepherd, connected by two pipes."""

    def __init__(self, folder: Path, lease_s: float = 30.0) -> None:
        self.folder = folder
        self.undo_path = folder / "undo.jsonl"
        self.process = subprocess.Popen(
            python_words("-S", "-m", "chaos.supervision.shepherd", str(self.undo_path), "me", str(lease_s)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "BROWNOUT_TOKEN": "secret"},
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input, self.output = self.process.stdin, self.process.stdout
        self.next_id = 0
        self.seen: list[dict[str, Any]] = []
        self.receive(event="ready")

    def receive(self, **wanted: Any) -> dict[str, Any]:
        """The next message with these fields. Every message is kept in `seen`."""
        while line := self.output.readline():
            message: dict[str, Any] = json.loads(line)
            self.seen.append(message)
            if wanted.items() <= message.items():
                return message
        raise AssertionError(f"the shepherd exited without {wanted}; its messages: {self.seen}")

    def send(self, do: str, **fields: Any) -> int:
        self.next_id += 1
        self.input.write(json.dumps({"id": self.next_id, "do": do, **fields}).encode() + b"\n")
        self.input.flush()
        return self.next_id

    def request(self, do: str, **fields: Any) -> dict[str, Any]:
        return self.receive(id=self.send(do, **fields))

    def spawn(self, name: str, *argv: str, **fields: Any) -> Identity:
        log = str(self.folder / f"{name}.log")
        command = list(argv) or ["sleep", "600"]
        fields.setdefault("env", {"PATH": os.environ["PATH"]})
        reply = self.request("spawn", name=name, kind="replica", argv=command, log=log, **fields)
        assert reply.get("ok"), reply
        return Identity.from_record(reply)


@pytest.fixture
def shepherd(tmp_path: Path) -> Iterator[ShepherdProcess]:
    one = ShepherdProcess(tmp_path)
    yield one
    one.input.close()
    one.process.wait(10)
    one.output.close()


def test_the_shepherd_is_small_and_imports_the_standard_library_only(shepherd: ShepherdProcess) -> None:
    shepherd.spawn("one")
    status = Path(f"/proc/{shepherd.process.pid}/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    assert peak_kb < 25_000
    code = (
        "import sys, chaos.supervision.shepherd; ours = {'brownout', 'chaos', 'reports'};"
        "print([m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names | ours | {'__main__'}])"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-S", "-c", code], env=environment, capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


def test_a_child_gets_exactly_the_given_environment_and_no_open_files(shepherd: ShepherdProcess) -> None:
    shepherd.spawn("one", "sh", "-c", "env; pwd; ls -l /proc/self/fd; cat", env={"PATH": os.environ["PATH"], "A": "1"})
    shepherd.receive(event="exited", name="one", status=0)  # cat exits at once, because standard input is empty
    text = (shepherd.folder / "one.log").read_text()
    environment = {entry for entry in text.split("total")[0].splitlines() if "=" in entry}
    names = {entry.partition("=")[0] for entry in environment} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names == {"PATH", "A", "BROWNOUT_PROCESS", "BROWNOUT_INCARNATION"}
    assert {"A=1", "BROWNOUT_PROCESS=one", "BROWNOUT_INCARNATION=1"} <= environment
    descriptors = [entry.split()[-3] for entry in text.splitlines() if " -> " in entry]
    assert descriptors == ["0", "1", "2", "3"]  # 3: the folder that ls reads


def test_a_child_has_its_own_process_group_and_ignores_no_signal(shepherd: ShepherdProcess) -> None:
    child = shepherd.spawn("one")
    assert os.getpgid(child.pid) == child.pid
    status = Path(f"/proc/{child.pid}/status").read_text()
    ignored, blocked = (int(status.split(f"{field}:")[1].split()[0], 16) for field in ("SigIgn", "SigBlk"))
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
        assert not (ignored | blocked) & (1 << (signum - 1)), signum.name


def test_all_incarnations_append_to_the_same_log(shepherd: ShepherdProcess) -> None:
    for incarnation in (1, 2):
        shepherd.spawn("one", "sh", "-c", "echo $BROWNOUT_INCARNATION; echo oops >&2; exit 7")
        exited = shepherd.receive(event="exited", name="one")
        assert (exited["incarnation"], exited["status"], exited["expected"]) == (incarnation, 7, False)
    assert (shepherd.folder / "one.log").read_text() == "1\noops\n2\noops\n"


def test_a_command_that_does_not_exist_is_an_error_and_the_shepherd_continues(shepherd: ShepherdProcess) -> None:
    reply = shepherd.request("spawn", name="one", kind="x", argv=["/no/such"], env={}, log=str(shepherd.folder / "log"))
    assert "No such file" in reply["error"]
    shepherd.spawn("two")
    again = shepherd.request(
        "spawn", name="two", kind="x", argv=["sleep", "1"], env={}, log=str(shepherd.folder / "log")
    )
    assert "already running" in again["error"]


def test_invalid_requests_are_errors_and_the_shepherd_continues(shepherd: ShepherdProcess) -> None:
    shepherd.input.write(b"{\n[]\n\n17\nnull\n")
    shepherd.input.flush()
    assert "unknown request" in shepherd.request("dance")["error"]
    assert "name" in shepherd.request("signal")["error"]
    assert "no process 'nobody'" in shepherd.request("signal", name="nobody", signal=9)["error"]
    assert shepherd.request("status")["processes"] == {}


def test_freeze_and_kill_reach_the_process_group_and_the_exit_is_expected(shepherd: ShepherdProcess) -> None:
    pid_file = shepherd.folder / "worker.pid"
    worker = f"sh -c 'echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 600' & exec sleep 600"
    master = shepherd.spawn("one", "sh", "-c", worker)
    workers = pid_in(pid_file)
    shepherd.request("signal", name="one", signal=signal.SIGSTOP)
    eventually(lambda: state_of(master) == state_of(workers) == "stopped", "both frozen")
    assert shepherd.request("status")["processes"]["one"]["state"] == "stopped"
    shepherd.send("signal", name="one", signal=signal.SIGKILL, ends=True)
    exited = shepherd.receive(event="exited")
    assert (exited["status"], exited["expected"]) == (-signal.SIGKILL, True)
    eventually(lambda: all_gone([workers]), "its worker gone as well")
    assert shepherd.request("signal", name="one", signal=signal.SIGKILL, ends=True)["state"] == "gone"


def test_an_exit_before_the_kill_is_not_expected(shepherd: ShepherdProcess) -> None:
    shepherd.spawn("one", "true")
    exited = shepherd.receive(event="exited", name="one")
    shepherd.request("signal", name="one", signal=signal.SIGKILL, ends=True)
    assert (exited["status"], exited["expected"]) == (0, False)


def test_ctrl_c_does_not_end_the_shepherd(shepherd: ShepherdProcess) -> None:
    os.kill(shepherd.process.pid, signal.SIGINT)
    assert shepherd.request("status")["ok"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_shepherd_kills_all_processes_before_it_exits(
    shepherd: ShepherdProcess, signum: signal.Signals
) -> None:
    child = shepherd.spawn("one")
    os.kill(shepherd.process.pid, signum)
    leaving = shepherd.receive(event="leaving")
    assert leaving["why"] == f"got {signum.name}"
    assert state_of(child) == "gone"
    assert shepherd.process.wait(10) == 0


def test_the_shepherd_works_although_its_output_is_closed(shepherd: ShepherdProcess) -> None:
    shepherd.output.close()
    pid_file = shepherd.folder / "daemon.pid"
    log = str(shepherd.folder / "log")
    shepherd.send("spawn", name="one", kind="x", argv=with_daemon(pid_file), env={"PATH": os.environ["PATH"]}, log=log)
    daemon = pid_in(pid_file)
    shepherd.send("status")
    assert state_of(daemon) == "running"
    shepherd.input.close()
    assert shepherd.process.wait(10) == 0
    assert state_of(daemon) == "gone"


def test_requests_renew_the_lease_and_the_shepherd_exits_when_it_expires(tmp_path: Path) -> None:
    one = ShepherdProcess(tmp_path, lease_s=1.0)
    try:
        child = one.spawn("one")
        for _ in range(200):  # each request renews the lease
            assert one.request("status")["ok"]
        leaving = one.receive(event="leaving")
        assert "no message from the runner for 1 s" in leaving["why"]
        assert state_of(child) == "gone"
        assert one.process.wait(10) == 0
    finally:
        one.input.close()
        one.output.close()


def test_a_shepherd_that_was_stopped_reads_its_input_before_the_lease_expires(tmp_path: Path) -> None:
    one = ShepherdProcess(tmp_path, lease_s=2.0)
    try:
        who = identify(one.process.pid)
        assert who is not None
        os.kill(who.pid, signal.SIGSTOP)
        eventually(lambda: state_of(who) == "stopped", "the shepherd stopped")
        started = os.times().elapsed
        eventually(lambda: os.times().elapsed - started > 2.5, "longer than the lease")
        asked = one.send("status")
        os.kill(who.pid, signal.SIGCONT)
        assert one.receive(id=asked)["ok"]
    finally:
        one.input.close()
        one.process.wait(10)
        one.output.close()


def test_the_lease_expires_although_the_output_pipe_is_full(tmp_path: Path) -> None:
    one = ShepherdProcess(tmp_path, lease_s=1.0)
    try:
        child = one.spawn("one", "sleep", "600", env={"PATH": os.environ["PATH"], "X": "y" * 1000})
        for _ in range(2000):  # half a megabyte of replies that are not read
            one.send("status")
        eventually(lambda: state_of(child) == "gone", "the lease expired, the child gone")
        assert one.process.wait(10) == 0
    finally:
        one.input.close()
        one.output.close()


def test_processes_that_fork_while_they_are_killed_are_all_killed(shepherd: ShepherdProcess) -> None:
    script = shepherd.folder / "fork.sh"
    script.write_text('trap "" TERM HUP INT\nn=$1\n[ $n -gt 0 ] || exec sleep 600\nsetsid sh "$0" $((n-1)) &\n')
    script.write_text(script.read_text() + 'setsid sh "$0" $((n-1)) &\nsleep 600\n')
    shepherd.spawn("one", "sh", str(script), "4")
    eventually(lambda: len(descendants(shepherd.process.pid)) > 10, "a tree of processes")
    shepherd.send("shutdown")
    assert shepherd.receive(event="leaving")["left"] == []
    assert shepherd.process.wait(10) == 0
    found = subprocess.run(["grep", "-lsa", str(script), *Path("/proc").glob("[0-9]*/cmdline")], capture_output=True)
    assert [path for path in found.stdout.split() if str(os.getpid()).encode() not in path and _alive(path)] == []


def _alive(cmdline: bytes) -> bool:
    stat = Path(os.fsdecode(cmdline)).with_name("comm")
    return stat.exists() and stat.read_text().strip() != "grep"


def test_the_undo_of_one_fault_starts_a_process_with_its_last_command(shepherd: ShepherdProcess) -> None:
    first = shepherd.spawn(
        "one", "sh", "-c", 'echo "$A $BROWNOUT_INCARNATION"; exec sleep 600', env={"PATH": "/usr/bin:/bin", "A": "x"}
    )
    eventually(lambda: (shepherd.folder / "one.log").read_text() == "x 1\n", "it runs, before it is killed")
    file = UndoFile(shepherd.undo_path, "me")
    with undo_server() as (url, got):
        file.arm("f1", [{"do": "start", "process": "one"}])
        file.arm("f2", [{"do": "request", "method": "DELETE", "url": f"{url}/behaviours/f2"}])
        shepherd.request("signal", name="one", signal=signal.SIGKILL, ends=True)
        shepherd.receive(event="exited")
        reply = shepherd.request("undo", fault="f1")
        assert reply["failed"] == []
        assert got == []
    again = next(m for m in shepherd.seen if m.get("event") == "started" and m["incarnation"] == 2)
    assert again["pid"] != first.pid
    eventually(
        lambda: (shepherd.folder / "one.log").read_text() == "x 1\nx 2\n", "the same command, the same environment"
    )
    assert [fault.fault for fault in pending(shepherd.undo_path)] == ["f2"]


def test_the_file_of_another_owner_is_not_undone_and_processes_are_killed(shepherd: ShepherdProcess) -> None:
    child = shepherd.spawn("one")
    with undo_server() as (url, got):
        undo = [{"do": "request", "method": "DELETE", "url": f"{url}/behaviours/f"}]
        UndoFile(shepherd.undo_path, "another run").arm("f", undo)
        shepherd.send("shutdown")
        leaving = shepherd.receive(event="leaving")
        assert "belongs to another run, not to me" in leaving["failed"][0]
        assert got == []
    assert state_of(child) == "gone"
