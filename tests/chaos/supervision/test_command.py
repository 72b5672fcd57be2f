"""A command of the user's: bounded in time and output, killed with all its processes, and what it did in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from brownout.search_path import own_environment
from chaos.supervision.command import LOG_BYTES, check_command, command_environment, outcome, resolved, run_command
from tests.support.shepherd_helpers import all_gone, eventually, pid_in, with_daemon


def record(folder: Path, *argv: str, timeout_s: float = 5.0, **more: Any) -> dict[str, Any]:
    return {"argv": list(argv), "cwd": str(folder), "timeout_s": timeout_s, "log": str(folder / "log"), **more}


def ran(folder: Path, *argv: str, **more: Any) -> tuple[bool, str]:
    return run_command(record(folder, *argv, **more), os.environ)


def test_a_command_runs_in_its_folder_without_input_and_its_output_is_logged(tmp_path: Path) -> None:
    assert ran(tmp_path, "sh", "-c", "pwd; cat; touch made") == (True, "")
    assert (tmp_path / "log").read_text() == f"{tmp_path}\n"
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("sh", "-c", "echo one; echo two >&2; exit 3"), "exit code 3; its output ends: one | two"),
        (("sh", "-c", "kill -9 $$"), "killed by signal 9; it printed nothing"),
        (("sh", "-c", "echo a sk-abcdefgh1234; exit 3"), "exit code 3; its output ends: a ***"),
        (("no-such-program",), "not started: no no-such-program in PATH"),
        (("./not-there",), "not started: {folder}/not-there is not there"),
        (("./plain.txt",), "not started: {folder}/plain.txt is not executable (Permission denied)"),
    ],
)
def test_what_goes_wrong_is_said_with_the_end_of_the_output(tmp_path: Path, argv: tuple[str, ...], why: str) -> None:
    (tmp_path / "plain.txt").write_text("text")
    assert ran(tmp_path, *argv) == (False, why.format(folder=tmp_path))


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert run_command(record(gone, "true"), os.environ) == (False, f"not started: its folder {gone} is not there")


def test_a_command_that_hangs_is_killed_with_its_daemons_in_other_sessions(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    ok, why = ran(tmp_path, *with_daemon(file), timeout_s=0.6)
    assert (ok, why) == (False, "did not end within 0.6 s, and was killed; it printed nothing")
    if file.exists():  # on a busy machine it was killed before
        pid = int(file.read_text())
        assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_what_a_command_leaves_running_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    assert ran(tmp_path, "sh", "-c", f"(setsid sh -c 'echo $$ > {file}.new; mv {file}.new {file}; exec sleep 60' &)")[0]
    daemon = pid_in(file)
    try:
        assert not all_gone([daemon])
    finally:
        os.kill(daemon.pid, 9)
    eventually(lambda: all_gone([daemon]), "the daemon gone")


def test_endless_garbage_is_cut_off_and_its_end_is_readable(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    ok, why = ran(tmp_path, "sh", "-c", "yes abc; ", timeout_s=0.5)
    assert (ok, why) == (
        False,
        "did not end within 0.5 s, and was killed; its output ends: abc | abc | abc | abc | abc",
    )
    data = (tmp_path / "log").read_bytes()
    assert len(data) <= LOG_BYTES
    assert data.startswith(b"before\nabc\n")
    assert data.endswith(b"the rest was cut off]\n")
    ok, why = ran(tmp_path, "sh", "-c", r"printf 'a\033[31mb\377\n\0'; exit 1")
    assert (ok, why) == (False, "exit code 1; its output ends: a\ufffd[31mb\ufffd | \ufffd")


def test_the_environment_has_no_token_no_telemetry_and_no_proxies_but_those_named() -> None:
    given = {"PATH": "/bin", "BROWNOUT_TOKEN": "s", "OTEL_X": "1", "https_proxy": "p", "NO_PROXY": "q", "HOME": "/h"}
    assert command_environment(given) == {"PATH": "/bin", "HOME": "/h"}
    assert command_environment(given, ["NO_PROXY"]) == {"PATH": "/bin", "HOME": "/h", "NO_PROXY": "q"}


def test_the_command_gets_that_environment_and_nothing_of_its_watcher(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "BROWNOUT_TOKEN": "secret", "KEPT": "1"}
    assert run_command(record(tmp_path, "env"), given) == (True, "")
    assert "secret" not in (tmp_path / "log").read_text()
    assert {line.partition("=")[0] for line in (tmp_path / "log").read_text().split()} <= {*given, "LC_CTYPE"}


def test_a_program_with_a_slash_is_found_from_the_folder_and_one_without_in_path() -> None:
    assert resolved(["./a.sh", "./b"], "/x") == ["/x/a.sh", "./b"]
    assert resolved(["../a.sh"], "/x/y") == ["/x/a.sh"]
    assert resolved(["/bin/a"], "/x") == ["/bin/a"]
    assert resolved(["a"], "/x") == ["a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"argv": "true"},
        {"argv": []},
        {"argv": [1]},
        {"cwd": "here"},
        {"timeout_s": 0},
        {"timeout_s": True},
        {"env": "HOME"},
        {"log": 3},
    ],
)
def test_a_record_that_is_no_command_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    check_command(record(tmp_path, "true"))
    with pytest.raises(ValueError, match=r"command|list of names"):
        check_command({**record(tmp_path, "true"), **wrong})


@pytest.mark.parametrize("line", [b"", b"garbage", b"[]", b"{}"])
def test_a_watcher_that_says_nothing_is_no_success(line: bytes) -> None:
    assert outcome(line, 5.0) == (
        False,
        "what became of it is not known: its watcher ended and reported nothing (limit 5 s)",
    )


def test_a_command_gets_the_python_path_that_the_user_had_set() -> None:
    changed = own_environment({"PYTHONPATH": "tools", "A": "b"})
    assert (
        command_environment(changed)
        == command_environment(command_environment(changed))
        == {
            "PYTHONPATH": "tools",
            "A": "b",
        }
    )
