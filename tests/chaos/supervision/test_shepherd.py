"""The shepherd as a process, over its own protocol."""

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

from chaos.supervision.identity import Identity, identify, state_of
from chaos.supervision.undo import UndoFile, pending
from tests.support.shepherd_helpers import ROOT, all_gone, eventually, pid_in, undo_server, with_daemon


class Line:
    """A shepherd on two pipes."""

    def __init__(self, folder: Path, lease_s: float = 30.0) -> None:
        self.folder = folder
        self.undo_path = folder / "undo.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-P", "-m", "chaos.supervision.shepherd", str(self.undo_path), "me", str(lease_s)],
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
        self.hear(event="ready")

    def hear(self, **wanted: Any) -> dict[str, Any]:
        """The next message that has these fields; what comes before it is kept in `seen`."""
        while line := self.output.readline():
            message: dict[str, Any] = json.loads(line)
            self.seen.append(message)
            if wanted.items() <= message.items():
                return message
        raise AssertionError(f"the shepherd left without {wanted}; it said {self.seen}")

    def tell(self, do: str, **fields: Any) -> int:
        self.next_id += 1
        self.input.write(json.dumps({"id": self.next_id, "do": do, **fields}).encode() + b"\n")
        self.input.flush()
        return self.next_id

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        return self.hear(id=self.tell(do, **fields))

    def spawn(self, name: str, *argv: str, **fields: Any) -> Identity:
        log = str(self.folder / f"{name}.log")
        command = list(argv) or ["sleep", "600"]
        fields.setdefault("env", {"PATH": os.environ["PATH"]})
        answer = self.ask("spawn", name=name, kind="replica", argv=command, log=log, **fields)
        assert answer.get("ok"), answer
        return Identity.from_record(answer)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    one = Line(tmp_path)
    yield one
    one.input.close()
    one.process.wait(10)
    one.output.close()


def test_it_is_small_and_imports_nothing_heavy(line: Line) -> None:
    line.spawn("one")
    status = Path(f"/proc/{line.process.pid}/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    assert peak_kb < 25_000
    code = (
        "import sys, chaos.supervision.shepherd; ours = {'chaos', 'reports'};"
        "print([m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names | ours | {'__main__'}])"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-S", "-c", code], env=environment, capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


def test_a_child_gets_the_environment_handed_to_it_and_nothing_else(line: Line) -> None:
    line.spawn("one", "sh", "-c", "env; pwd; ls -l /proc/self/fd; cat", env={"PATH": os.environ["PATH"], "A": "1"})
    line.hear(event="exited", name="one", status=0)  # cat ends at once: standard input is empty
    text = (line.folder / "one.log").read_text()
    environment = {entry for entry in text.split("total")[0].splitlines() if "=" in entry}
    names = {entry.partition("=")[0] for entry in environment} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names == {"PATH", "A", "BROWNOUT_PROCESS", "BROWNOUT_INCARNATION"}
    assert {"A=1", "BROWNOUT_PROCESS=one", "BROWNOUT_INCARNATION=1"} <= environment
    descriptors = [entry.split()[-3] for entry in text.splitlines() if " -> " in entry]
    assert descriptors == ["0", "1", "2", "3"]  # 3 is the folder that ls reads


def test_a_child_leads_a_group_of_its_own_and_ignores_no_signal(line: Line) -> None:
    child = line.spawn("one")
    assert os.getpgid(child.pid) == child.pid
    status = Path(f"/proc/{child.pid}/status").read_text()
    ignored, blocked = (int(status.split(f"{field}:")[1].split()[0], 16) for field in ("SigIgn", "SigBlk"))
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
        assert not (ignored | blocked) & (1 << (signum - 1)), signum.name


def test_logs_are_appended_to_over_incarnations(line: Line) -> None:
    for incarnation in (1, 2):
        line.spawn("one", "sh", "-c", "echo $BROWNOUT_INCARNATION; echo oops >&2; exit 7")
        exited = line.hear(event="exited", name="one")
        assert (exited["incarnation"], exited["status"], exited["expected"]) == (incarnation, 7, False)
    assert (line.folder / "one.log").read_text() == "1\noops\n2\noops\n"


def test_a_command_that_does_not_exist_is_refused_and_the_shepherd_goes_on(line: Line) -> None:
    answer = line.ask("spawn", name="one", kind="x", argv=["/no/such"], env={}, log=str(line.folder / "log"))
    assert "No such file" in answer["error"]
    line.spawn("two")
    again = line.ask("spawn", name="two", kind="x", argv=["sleep", "1"], env={}, log=str(line.folder / "log"))
    assert "running already" in again["error"]


def test_lines_that_are_no_requests_do_no_harm(line: Line) -> None:
    line.input.write(b"{\n[]\n\n17\nnull\n")
    line.input.flush()
    assert "is no request" in line.ask("dance")["error"]
    assert "name" in line.ask("signal")["error"]
    assert "no process 'nobody'" in line.ask("signal", name="nobody", signal=9)["error"]
    assert line.ask("status")["processes"] == {}


def test_a_freeze_reaches_the_group_and_a_kill_is_expected(line: Line) -> None:
    pid_file = line.folder / "worker.pid"
    worker = f"sh -c 'echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 600' & exec sleep 600"
    master = line.spawn("one", "sh", "-c", worker)
    workers = pid_in(pid_file)
    line.ask("signal", name="one", signal=signal.SIGSTOP)
    eventually(lambda: state_of(master) == state_of(workers) == "stopped", "both frozen")
    assert line.ask("status")["processes"]["one"]["state"] == "stopped"
    line.tell("signal", name="one", signal=signal.SIGKILL, ends=True)
    exited = line.hear(event="exited")
    assert (exited["status"], exited["expected"]) == (-signal.SIGKILL, True)
    eventually(lambda: all_gone([workers]), "its worker gone with it")
    assert line.ask("signal", name="one", signal=signal.SIGKILL, ends=True)["state"] == "gone"


def test_a_death_before_the_kill_is_not_expected(line: Line) -> None:
    line.spawn("one", "true")
    exited = line.hear(event="exited", name="one")
    line.ask("signal", name="one", signal=signal.SIGKILL, ends=True)
    assert (exited["status"], exited["expected"]) == (0, False)


def test_ctrl_c_in_the_terminal_is_for_the_runner(line: Line) -> None:
    os.kill(line.process.pid, signal.SIGINT)
    assert line.ask("status")["ok"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_it_ends_everything_before_it_obeys(line: Line, signum: signal.Signals) -> None:
    child = line.spawn("one")
    os.kill(line.process.pid, signum)
    leaving = line.hear(event="leaving")
    assert leaving["why"] == f"got {signum.name}"
    assert state_of(child) == "gone"
    assert line.process.wait(10) == 0


def test_it_survives_that_nobody_reads_and_still_does_its_work(line: Line) -> None:
    line.output.close()
    pid_file = line.folder / "daemon.pid"
    log = str(line.folder / "log")
    line.tell("spawn", name="one", kind="x", argv=with_daemon(pid_file), env={"PATH": os.environ["PATH"]}, log=log)
    daemon = pid_in(pid_file)
    line.tell("status")
    assert state_of(daemon) == "running"
    line.input.close()
    assert line.process.wait(10) == 0
    assert state_of(daemon) == "gone"


def test_silence_ends_it_and_any_line_is_a_sign_of_life(tmp_path: Path) -> None:
    one = Line(tmp_path, lease_s=1.0)
    try:
        child = one.spawn("one")
        for _ in range(200):  # answers are signs of the shepherd's life; the loop takes as long as 200 of them
            assert one.ask("status")["ok"]
        leaving = one.hear(event="leaving")
        assert "nothing heard from the runner for 1 s" in leaving["why"]
        assert state_of(child) == "gone"
        assert one.process.wait(10) == 0
    finally:
        one.input.close()
        one.output.close()


def test_a_shepherd_that_was_stopped_reads_what_it_missed_before_it_judges(tmp_path: Path) -> None:
    one = Line(tmp_path, lease_s=2.0)
    try:
        who = identify(one.process.pid)
        assert who is not None
        os.kill(who.pid, signal.SIGSTOP)
        eventually(lambda: state_of(who) == "stopped", "the shepherd stopped")
        started = os.times().elapsed
        eventually(lambda: os.times().elapsed - started > 2.5, "more than the lease over")
        asked = one.tell("status")
        os.kill(who.pid, signal.SIGCONT)
        assert one.hear(id=asked)["ok"]
    finally:
        one.input.close()
        one.process.wait(10)
        one.output.close()


def test_an_unread_pipe_does_not_block_the_lease(tmp_path: Path) -> None:
    one = Line(tmp_path, lease_s=1.0)
    try:
        child = one.spawn("one", "sleep", "600", env={"PATH": os.environ["PATH"], "X": "y" * 1000})
        for _ in range(2000):  # half a megabyte of answers, which nobody reads
            one.tell("status")
        eventually(lambda: state_of(child) == "gone", "the lease over, the child gone")
        assert one.process.wait(10) == 0
    finally:
        one.input.close()
        one.output.close()


def test_processes_that_fork_faster_than_they_die_are_all_killed(line: Line) -> None:
    script = line.folder / "fork.sh"
    script.write_text('trap "" TERM HUP INT\nn=$1\n[ $n -gt 0 ] || exec sleep 600\nsetsid sh "$0" $((n-1)) &\n')
    script.write_text(script.read_text() + 'setsid sh "$0" $((n-1)) &\nsleep 600\n')
    line.spawn("one", "sh", str(script), "4")
    eventually(lambda: len(_run_by(line.process.pid)) > 10, "a tree of processes")
    line.tell("shutdown")
    assert line.hear(event="leaving")["left"] == []
    assert line.process.wait(10) == 0
    found = subprocess.run(["grep", "-lsa", str(script), *Path("/proc").glob("[0-9]*/cmdline")], capture_output=True)
    assert [path for path in found.stdout.split() if str(os.getpid()).encode() not in path and _alive(path)] == []


def _alive(cmdline: bytes) -> bool:
    stat = Path(os.fsdecode(cmdline)).with_name("comm")
    return stat.exists() and stat.read_text().strip() != "grep"


def _run_by(shepherd: int) -> list[Identity]:
    from chaos.supervision.identity import descendants

    return descendants(shepherd)


def test_undo_of_one_fault_starts_a_process_again_as_it_was(line: Line) -> None:
    first = line.spawn(
        "one", "sh", "-c", 'echo "$A $BROWNOUT_INCARNATION"; exec sleep 600', env={"PATH": "/usr/bin:/bin", "A": "x"}
    )
    file = UndoFile(line.undo_path, "me")
    with undo_server() as (url, got):
        file.arm("f1", [{"do": "start", "process": "one"}])
        file.arm("f2", [{"do": "request", "method": "DELETE", "url": f"{url}/behaviours/f2"}])
        line.ask("signal", name="one", signal=signal.SIGKILL, ends=True)
        line.hear(event="exited")
        answer = line.ask("undo", fault="f1")
        assert answer["failed"] == []
        assert got == []
    again = next(m for m in line.seen if m.get("event") == "started" and m["incarnation"] == 2)
    assert again["pid"] != first.pid
    eventually(lambda: (line.folder / "one.log").read_text() == "x 1\nx 2\n", "the same command, the same environment")
    assert [fault.fault for fault in pending(line.undo_path)] == ["f2"]


def test_a_file_of_another_owner_is_not_acted_upon_and_the_rest_is_still_killed(line: Line) -> None:
    child = line.spawn("one")
    with undo_server() as (url, got):
        undo = [{"do": "request", "method": "DELETE", "url": f"{url}/behaviours/f"}]
        UndoFile(line.undo_path, "somebody else").arm("f", undo)
        line.tell("shutdown")
        leaving = line.hear(event="leaving")
        assert "was written by somebody else, not by me" in leaving["failed"][0]
        assert got == []
    assert state_of(child) == "gone"
