"""The files by which commands find the stacks of this user: what is left of others, and what is none of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from chaos.by_hand.runtime import Entry, announce, entries, find_entry, runtime_folder, socket_path, withdraw
from chaos.supervision.identity import identify
from reports.shared.errors import UserError


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "brownout"


def entry(name: str = "small", pid: int | None = None, **more: object) -> Entry:
    identity = identify(pid or os.getpid())
    assert identity is not None
    made = Entry(name, "up", str(socket_path()), "/runs/1-small", name, "http://127.0.0.1:1", 0, *identity)
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def put(runtime: Path, one: Entry, name: str = "") -> Path:
    path = runtime_folder() / f"{name or one.name}.json"
    path.write_text(json.dumps(asdict(one)))
    return path


def test_the_folder_is_made_for_this_user_alone(runtime: Path) -> None:
    assert runtime_folder() == runtime
    assert runtime.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("base", ["", "relative/folder"])
def test_without_an_absolute_variable_the_folder_is_in_tmp(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", base)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    with pytest.raises(UserError, match="/tmp/brownout-4000000001 is not a folder of yours"):
        runtime_folder()
    Path("/tmp/brownout-4000000001").rmdir()


def test_a_variable_that_sudo_kept_of_another_user_is_not_used(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_002)
    with pytest.raises(UserError, match="/tmp/brownout-4000000002"):
        runtime_folder()
    Path("/tmp/brownout-4000000002").rmdir()
    assert not runtime.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_enter_is_refused(runtime: Path, mode: int) -> None:
    runtime.mkdir()
    runtime.chmod(mode)
    with pytest.raises(UserError, match="not a folder of yours with mode 0700"):
        runtime_folder()


def test_a_link_in_place_of_the_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="not a folder of yours"):
        runtime_folder()


def test_a_folder_of_another_user_is_refused(runtime: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    runtime.mkdir(mode=0o700)
    os.chown(runtime, 12345, 12345)
    with pytest.raises(UserError, match="not a folder of yours"):
        runtime_folder()


def test_a_file_in_place_of_the_folder_is_refused(runtime: Path) -> None:
    runtime.write_text("")
    with pytest.raises(UserError, match="not a folder of yours"):
        runtime_folder()


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set XDG_RUNTIME_DIR"):
        runtime_folder()


def test_an_announced_stack_is_found_until_it_is_withdrawn(runtime: Path) -> None:
    named = announce(entry())
    assert (runtime / "small.json").stat().st_mode & 0o777 == 0o600
    assert entries() == [named]
    assert find_entry() == find_entry("small") == named
    withdraw(named)
    withdraw(named)
    assert list(runtime.iterdir()) == []
    with pytest.raises(UserError, match="no stack is up"):
        find_entry()


def test_a_stack_is_also_found_by_the_folder_of_its_record(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = announce(entry(folder=str(tmp_path / "runs" / "1")))
    assert find_entry("runs/1") == find_entry(str(tmp_path / "runs/1/")) == named
    with pytest.raises(UserError, match='no stack "runs/2" is up'):
        find_entry("runs/2")


def test_stacks_that_start_at_once_get_names_of_their_own(runtime: Path) -> None:
    pids = [os.getpid(), os.getppid()]
    found: list[Entry] = []
    threads = [threading.Thread(target=lambda pid=pid: found.append(announce(entry(pid=pid)))) for pid in pids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.name for one in found) == ["small", "small-2"]
    assert sorted(one.name for one in entries()) == ["small", "small-2"]
    with pytest.raises(UserError, match="2 stacks are up: name one with --at"):
        find_entry()


def test_what_a_dead_process_left_is_removed_and_blocks_no_name(
    runtime: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    dead = entry(pid=sleeper.pid, socket=str(runtime_folder() / f"{sleeper.pid}.sock"))
    Path(dead.socket).touch()
    put(runtime, dead)
    assert entries() == [dead]
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie is dead, too
    assert announce(entry()).name == "small"
    assert sorted(path.name for path in runtime.iterdir()) == ["small.json"]


def test_a_process_that_reused_the_pid_is_another_one(runtime: Path) -> None:
    mine = entry()
    put(runtime, replace(mine, start_time=mine.start_time - 1))
    put(runtime, replace(mine, name="other-boot", boot_id="before"))
    assert entries() == []
    assert list(runtime.iterdir()) == []


def test_files_that_are_none_of_ours_are_left_alone(runtime: Path) -> None:
    runtime_folder()
    (runtime / "text.json").write_text("not JSON")
    (runtime / "list.json").write_text("[]")
    (runtime / "half.json").write_text('{"name": "half"}')
    (runtime / "deep.json").write_text("[" * 100_000)
    (runtime / "folder.json").mkdir()
    os.mkfifo(runtime / "pipe.json")
    put(runtime, entry(), name="renamed")
    before = sorted(runtime.iterdir())
    assert entries() == []
    assert sorted(runtime.iterdir()) == before


def test_a_file_cannot_make_us_remove_something_elsewhere(runtime: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("")
    put(runtime, entry(socket=str(precious), start_time=1))
    assert entries() == []
    assert precious.exists()


def test_a_folder_that_takes_no_file_is_a_mistake_with_its_reason(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = entry()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(UserError, match="cannot be written to: No space left on device"):
        announce(mine)
    assert list(runtime.iterdir()) == []
