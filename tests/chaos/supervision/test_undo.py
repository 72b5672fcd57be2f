"""The write-ahead file, and the undo of its pending faults."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chaos.supervision.identity import Identity, identify, state_of
from chaos.supervision.undo import (
    LOCK_WITHIN_S,
    UndoFile,
    UndoNotWritten,
    _lock_writing,
    check_record,
    pending,
    perform,
    read_file,
    undo_at_end,
    undo_pending,
)
from reports.shared.errors import UserError
from tests.support.shepherd_helpers import eventually, undo_server
from tests.support.small_disk import fill, small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "undo.jsonl"


@pytest.fixture
def frozen() -> Iterator[Identity]:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        who = identify(process.pid)
        assert who is not None
        os.kill(who.pid, signal.SIGSTOP)
        eventually(lambda: state_of(who) == "stopped", "frozen")
        yield who
    finally:
        process.kill()
        process.wait()


def thaw(who: Identity) -> dict[str, Any]:
    return {"do": "signal", "process": "tpu-0", "signal": "SIGCONT", **who._asdict()}


def request(url: str | None) -> dict[str, Any]:
    return {"do": "request", "method": "DELETE", "url": url}


START = {"do": "start", "process": "tpu-0"}


def test_an_armed_fault_is_pending_until_it_is_disarmed(path: Path) -> None:
    assert pending(path) == []
    file = UndoFile(path, "run-1")
    for fault in ("f1", "f2", "f3"):
        file.arm(fault, [START])
    file.disarm("f2")
    file.disarm("never armed")
    assert [(one.fault, one.owner, one.undo) for one in pending(path)] == [
        ("f1", "run-1", [START]),
        ("f3", "run-1", [START]),
    ]
    file.arm("f2", [START])  # again
    assert [one.fault for one in pending(path)] == ["f1", "f3", "f2"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_writers_in_threads_and_processes_lose_no_line(path: Path) -> None:
    """Runner and shepherd may both write at the end of a run."""
    code = (
        "import sys; from chaos.supervision.undo import UndoFile\n"
        "file = UndoFile(sys.argv[1], 'run-1')\n"
        "for number in range(100): file.disarm(f'{sys.argv[2]}-{number}', 'shepherd')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("p", "q")]
    files = [UndoFile(path, "run-1") for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for number in range(100):
            list(threads.map(lambda file, number=number: file.disarm(f"t-{number}"), files))
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = path.read_text().splitlines()
    assert len(lines) == 400
    assert all(json.loads(line)["done"] for line in lines)


def test_a_writer_that_was_stopped_delays_the_others_for_a_bounded_time(path: Path) -> None:
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    held = os.open(path, os.O_RDWR)
    try:
        _lock_writing(held)
        begun = time.monotonic()
        file.disarm("f1")
        assert time.monotonic() - begun >= LOCK_WITHIN_S, "it waited for the lock"
    finally:
        os.close(held)
    assert pending(path) == []


def test_a_record_is_on_disk_before_arm_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append(name)
        if name == str(path):
            assert pending(path)[-1].fault == f"f{synced.count(name)}"  # first written, then synced
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    file.arm("f2", [START])
    assert synced == [str(path), str(path.parent), str(path)]  # the folder too, for a new file


def test_an_incomplete_line_is_not_armed_and_does_not_affect_later_lines(path: Path) -> None:
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    with path.open("ab") as raw:
        raw.write(b'{"fault":"f2","owner":"run-1","un')
    assert [one.fault for one in pending(path)] == ["f1"]
    file.arm("f3", [START])
    assert [one.fault for one in pending(path)] == ["f1", "f3"]


def test_lines_that_are_no_entries_are_ignored(path: Path) -> None:
    path.write_text('17\n[]\n{"fault": 1}\n{"fault":"f","owner":"o","undo":7}\n\xff\n')
    UndoFile(path, "o").arm("f1", [START])
    assert [one.fault for one in pending(path)] == ["f1"]


def test_a_full_disk_keeps_earlier_records_and_is_reported(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", size="64k") as small:
        file = UndoFile(small / "undo.jsonl", "run-1")
        file.arm("f1", [START])
        before = file_bytes(small)
        fill(small)
        with pytest.raises(
            UndoNotWritten, match=r"fault f2: .*the disk is full.*not injected.*Free some space"
        ) as caught:
            file.arm("f2", [{**START, "process": "x" * 8000}])
        assert isinstance(caught.value.__cause__, OSError)
        assert file_bytes(small) == before
        file.disarm("f1")  # the room for this was reserved when it was armed
        assert pending(small / "undo.jsonl") == []


def file_bytes(folder: Path) -> bytes:
    return (folder / "undo.jsonl").read_bytes()


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UndoNotWritten, match="No such file or directory"):
        UndoFile(tmp_path / "no" / "undo.jsonl", "run-1").arm("f1", [START])


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({}, "unknown undo None"),
        ({"do": "pray"}, "unknown undo 'pray'"),
        ({"do": "start"}, "names no process"),
        ({"do": "signal", "signal": "SIGCONT"}, "needs pid, start_time and boot_id"),
        ({"do": "signal", "signal": "SIGNOPE", "pid": 7, "start_time": 8, "boot_id": "b"}, "unknown signal 'SIGNOPE'"),
        ({"do": "request", "method": "GET", "url": "http://127.0.0.1:1/"}, "method 'GET'"),
        *(
            (request(url), "http://127.0.0.1:PORT/ only")
            for url in (
                "http://192.0.2.1:80/",
                "http://127.0.0.1.example.org:80/",
                "http://127.0.0.1:80@example.org/",
                "http://127.0.0.1/",
                "https://127.0.0.1:80/",
                "http://127.0.0.1:80/\r\nX: y",
                "http://127.0.0.1:80/\n",
                None,
            )
        ),
    ],
)
def test_an_invalid_record_is_not_armed(path: Path, record: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        UndoFile(path, "run-1").arm("f1", [START, record])
    assert not path.exists()
    assert perform(record)[0] is False


def test_a_fault_without_an_undo_record_is_not_armed(path: Path) -> None:
    with pytest.raises(ValueError, match="has no undo record"):
        UndoFile(path, "run-1").arm("f1", [])


@pytest.mark.parametrize("url", ["http://127.0.0.1:80/a?b=c", "http://localhost:1", "http://[::1]:65535/x"])
def test_loopback_has_three_names(url: str) -> None:
    check_record(request(url))


def test_pending_faults_are_undone_newest_first_and_recorded_as_done(path: Path, frozen: Identity) -> None:
    file = UndoFile(path, "run-1")
    with undo_server() as (url, got):
        file.arm("f1", [request(f"{url}/1"), thaw(frozen)])
        file.arm("f2", [request(f"{url}/2a"), request(f"{url}/2b")])
        done = undo_pending(path, "run-1", token="secret")
        assert [one for _, one, _ in got] == ["/2b", "/2a", "/1"]
        assert {token for _, _, token in got} == {"secret"}
    eventually(lambda: state_of(frozen) == "running", "thawed")
    assert [one.ok for one in done] == [True] * 4
    assert done[0].record["do"] == "signal"  # before the requests, because a frozen process does not reply
    assert pending(path) == []
    assert json.loads(path.read_text().splitlines()[-1])["by"] == "heal"
    assert undo_pending(path, "run-1") == []


def test_the_file_of_another_owner_is_rejected_before_anything_is_undone(path: Path, frozen: Identity) -> None:
    UndoFile(path, "run-1").arm("f1", [thaw(frozen)])
    UndoFile(path, "run-2").arm("f2", [START])
    with pytest.raises(UserError, match="belongs to run-2, not to run-1: nothing was undone"):
        undo_pending(path, "run-1")
    assert state_of(frozen) == "stopped"
    assert len(pending(path)) == 2


def test_a_process_that_reuses_a_pid_is_never_signalled(path: Path, frozen: Identity) -> None:
    before = frozen._replace(start_time=frozen.start_time - 100)
    UndoFile(path, "run-1").arm("f1", [thaw(before)])
    (one,) = undo_pending(path, "run-1")
    assert one.ok  # the frozen process has exited
    assert "belongs to another process now" in one.why
    assert state_of(frozen) == "stopped"


def test_one_fault_can_be_undone_alone(path: Path) -> None:
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    file.arm("f2", [START])
    started: list[str] = []

    def start(name: str) -> str:
        started.append(name)
        return "started"

    assert [str(one) for one in undo_pending(path, "run-1", only="f1", start=start)] == ["f1: start tpu-0: started"]
    assert started == ["tpu-0"]
    assert [one.fault for one in pending(path)] == ["f2"]


def test_a_failed_undo_is_reported_and_its_fault_stays_pending(path: Path) -> None:
    file = UndoFile(path, "run-1")
    with socket.socket() as unused, undo_server() as (url, _):
        unused.bind(("127.0.0.1", 0))
        file.arm("f1", [request(f"http://127.0.0.1:{unused.getsockname()[1]}/x")])
        file.arm("f2", [request(f"{url}/broken")])
        file.arm("f3", [START])
        file.arm("f4", [request(f"{url}/fine")])
        done = {one.fault: (one.ok, one.why) for one in undo_pending(path, "run-1")}
    assert done == {
        "f1": (False, "connection refused"),
        "f2": (False, "status 500"),
        "f3": (False, "not started: its command is not known here; start it by hand"),
        "f4": (True, "status 200"),
    }
    assert [one.fault for one in pending(path)] == ["f1", "f2", "f3"]


def test_servers_that_never_reply_delay_the_undo_for_a_bounded_time(path: Path) -> None:
    file = UndoFile(path, "run-1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for number in range(5):
            file.arm(f"f{number}", [request(f"http://127.0.0.1:{silent.getsockname()[1]}/{number}")])
        done = undo_pending(path, "run-1", within_s=0.3)
    assert [one.why for one in done] == ["timed out", *["not sent: no time left"] * 4]


def test_undo_requests_use_no_proxy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with undo_server() as (url, got):
        UndoFile(path, "run-1").arm("f1", [request(f"{url}/1?a=b")])
        assert undo_pending(path, "run-1")[0].ok
        assert [one for _, one, _ in got] == ["/1?a=b"]


def test_a_fault_inside_a_process_is_gone_with_it(frozen: Identity) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        record = {**request(f"http://127.0.0.1:{unused.getsockname()[1]}/behaviours/f1"), **frozen._asdict()}
        assert perform(record) == (False, "connection refused")
        gone = {**record, "start_time": frozen.start_time - 1}
        assert perform(gone) == (True, "its process is gone, and the fault with it")
        before_boot = {**record, "boot_id": "another"}
        assert perform(before_boot)[0]


def test_a_process_that_stays_stopped_is_not_undone(frozen: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.supervision.undo.signal_group", lambda *_: None)
    monkeypatch.setattr("chaos.supervision.undo.RESUMES_WITHIN_S", 0.01)
    assert perform(thaw(frozen)) == (False, f"sent, but process {frozen.pid} is still stopped")


def test_the_end_kills_first_then_undoes_and_writes_down_what_is_left(path: Path, frozen: Identity) -> None:
    with undo_server() as (url, _):
        file = UndoFile(path, "run-1")
        file.arm("f1", [{**request(f"{url}/broken/1"), **frozen._asdict()}])
        file.arm("f2", [request(f"{url}/broken/2")])

        def kill() -> list[int]:
            os.kill(frozen.pid, signal.SIGKILL)
            eventually(lambda: state_of(frozen) == "gone", "killed")
            return [7]

        done, failed, left = undo_at_end(path, "run-1", token="", by="shepherd", kill=kill)
    assert [text.rpartition(": ")[2] for text in done] == ["its process is gone, and the fault with it"]
    assert failed == [f"f2: request DELETE {url}/broken/2: status 500"]
    assert left == [7]
    assert [(one.fault, one.done_by, one.failed) for one in read_file(path).faults] == [
        ("f1", "shepherd", ()),
        ("f2", "", tuple(failed)),
    ]


def test_the_end_kills_also_where_the_file_cannot_be_read(tmp_path: Path) -> None:
    done, failed, left = undo_at_end(tmp_path, "run-1", token="", by="shepherd", kill=list)
    assert (done, left) == ([], [])
    assert "not a regular file" in failed[0]
