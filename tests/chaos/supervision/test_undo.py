from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.supervision.identity import Identity, identify, state_of
from chaos.supervision.undo import UndoFile, UndoNotWritten, check_record, heal, pending, perform
from reports.shared.errors import UserError
from tests.support.shepherd_helpers import eventually, undo_server


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


def request(url: str) -> dict[str, Any]:
    return {"do": "request", "method": "DELETE", "url": url}


START = {"do": "start", "process": "tpu-0"}


def test_what_is_armed_is_pending_until_it_is_disarmed(path: Path) -> None:
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


def test_it_is_on_disk_before_arm_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append(name)
        if name == str(path):
            assert pending(path)[-1].fault == f"f{synced.count(name)}"  # written, and then synced
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    file.arm("f2", [START])
    assert synced == [str(path), str(path.parent), str(path)]  # the folder too, for a new file


def test_a_torn_line_was_never_armed_and_spoils_none_after_it(path: Path) -> None:
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    with path.open("ab") as raw:
        raw.write(b'{"fault":"f2","owner":"run-1","un')
    assert [one.fault for one in pending(path)] == ["f1"]
    file.arm("f3", [START])
    assert [one.fault for one in pending(path)] == ["f1", "f3"]


def test_lines_that_are_no_entries_are_passed_over(path: Path) -> None:
    path.write_text('17\n[]\n{"fault": 1}\n{"fault":"f","owner":"o","undo":7}\n\xff\n')
    UndoFile(path, "o").arm("f1", [START])
    assert [one.fault for one in pending(path)] == ["f1"]


def test_a_full_disk_leaves_what_was_there_and_says_so(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "small", str(small)]).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        file = UndoFile(small / "undo.jsonl", "run-1")
        file.arm("f1", [START])
        before = file_bytes(small)
        with pytest.raises(
            UndoNotWritten, match=r"fault f2: .*the disk is full.*not injected.*Free some space"
        ) as caught:
            file.arm("f2", [{**START, "process": "x" * 8000}])
        assert isinstance(caught.value.__cause__, OSError)
        assert file_bytes(small) == before
        file.disarm("f1")  # there is room for this again
        assert pending(small / "undo.jsonl") == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def file_bytes(folder: Path) -> bytes:
    return (folder / "undo.jsonl").read_bytes()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UndoNotWritten, match="No such file or directory"):
        UndoFile(tmp_path / "no" / "undo.jsonl", "run-1").arm("f1", [START])


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({}, "None is no way to undo"),
        ({"do": "pray"}, "'pray' is no way to undo"),
        ({"do": "start"}, "no process is named"),
        ({"do": "signal", "signal": "SIGCONT"}, "needs pid, start_time and boot_id"),
        ({"do": "signal", "signal": "SIGNOPE", "pid": 7, "start_time": 8, "boot_id": "b"}, "no signal 'SIGNOPE'"),
        ({"do": "request", "method": "GET", "url": "http://127.0.0.1:1/"}, "method 'GET'"),
        *(
            (request(url), "http://127.0.0.1:PORT/ and nowhere else")
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
def test_what_could_not_be_done_is_not_armed(path: Path, record: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        UndoFile(path, "run-1").arm("f1", [START, record])
    assert not path.exists()
    assert perform(record)[0] is False


def test_no_way_to_undo_no_arming(path: Path) -> None:
    with pytest.raises(ValueError, match="no way to undo it"):
        UndoFile(path, "run-1").arm("f1", [])


@pytest.mark.parametrize("url", ["http://127.0.0.1:80/a?b=c", "http://localhost:1", "http://[::1]:65535/x"])
def test_loopback_has_three_names(url: str) -> None:
    check_record(request(url))


def test_healing_thaws_and_asks_the_newest_fault_first_and_writes_it_down(path: Path, frozen: Identity) -> None:
    file = UndoFile(path, "run-1")
    with undo_server() as (url, got):
        file.arm("f1", [request(f"{url}/1"), thaw(frozen)])
        file.arm("f2", [request(f"{url}/2a"), request(f"{url}/2b")])
        done = heal(path, "run-1", token="secret")
        assert [one for _, one, _ in got] == ["/2b", "/2a", "/1"]
        assert {token for _, _, token in got} == {"secret"}
    eventually(lambda: state_of(frozen) == "running", "thawed")
    assert [one.ok for one in done] == [True] * 4
    assert done[0].record["do"] == "signal"  # before the requests: a frozen process answers none
    assert pending(path) == []
    assert json.loads(path.read_text().splitlines()[-1])["by"] == "heal"
    assert heal(path, "run-1") == []


def test_the_file_of_another_owner_is_refused_before_anything_is_done(path: Path, frozen: Identity) -> None:
    UndoFile(path, "run-1").arm("f1", [thaw(frozen)])
    UndoFile(path, "run-2").arm("f2", [START])
    with pytest.raises(UserError, match="was written by run-2, not by run-1: not touched"):
        heal(path, "run-1")
    assert state_of(frozen) == "stopped"
    assert len(pending(path)) == 2


def test_a_reused_pid_is_never_signalled(path: Path, frozen: Identity) -> None:
    before = frozen._replace(start_time=frozen.start_time - 100)
    UndoFile(path, "run-1").arm("f1", [thaw(before)])
    (one,) = heal(path, "run-1")
    assert one.ok  # whoever was frozen is no more
    assert "another process by now" in one.why
    assert state_of(frozen) == "stopped"


def test_one_fault_alone_can_be_healed(path: Path) -> None:
    file = UndoFile(path, "run-1")
    file.arm("f1", [START])
    file.arm("f2", [START])
    started: list[str] = []

    def start(name: str) -> str:
        started.append(name)
        return "started"

    assert [str(one) for one in heal(path, "run-1", only="f1", start=start)] == ["f1: start tpu-0: started"]
    assert started == ["tpu-0"]
    assert [one.fault for one in pending(path)] == ["f2"]


def test_what_fails_is_told_and_stays_pending(path: Path) -> None:
    file = UndoFile(path, "run-1")
    with socket.socket() as deaf, undo_server() as (url, _):
        deaf.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{deaf.getsockname()[1]}/x"
        file.arm("f1", [request(nobody)])
        file.arm("f2", [request(f"{url}/broken")])
        file.arm("f3", [START])
        file.arm("f4", [request(f"{url}/fine")])
        done = {one.fault: (one.ok, one.why) for one in heal(path, "run-1")}
    assert done == {
        "f1": (False, "nobody listens there"),
        "f2": (False, "answered 500"),
        "f3": (False, "not started: nobody here knows how; start it by hand"),
        "f4": (True, "answered 200"),
    }
    assert [one.fault for one in pending(path)] == ["f1", "f2", "f3"]


def test_servers_that_never_answer_hold_it_up_for_a_bounded_time(path: Path) -> None:
    file = UndoFile(path, "run-1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for number in range(5):
            file.arm(f"f{number}", [request(f"http://127.0.0.1:{silent.getsockname()[1]}/{number}")])
        done = heal(path, "run-1", within_s=0.3)
    assert [one.why for one in done] == ["timed out", *["not sent: no time left"] * 4]


def test_no_proxy_is_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with undo_server() as (url, got):
        UndoFile(path, "run-1").arm("f1", [request(f"{url}/1?a=b")])
        assert heal(path, "run-1")[0].ok
        assert [one for _, one, _ in got] == ["/1?a=b"]
