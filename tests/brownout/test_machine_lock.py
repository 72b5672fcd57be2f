"""The lock that lets one test at a time play on a machine."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from brownout.children import python_words
from brownout.errors import UsageError
from brownout.machine_lock import machine_lock
from tests.support.run_helpers import until


def test_the_second_waits_says_why_and_goes_on(tmp_path: Path) -> None:
    lines: list[str] = []
    order: list[str] = []

    def second() -> None:
        with machine_lock("test_b", lines.append, tmp_path):
            order.append("second")

    with machine_lock("test_a", lines.append, tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        until(lambda: bool(lines), "the reason")
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    assert lines == [
        f"brownout: waiting for another test that plays on this machine (process {os.getpid()}, test_a): "
        "two at once would disturb each other's numbers"
    ]


def test_it_is_free_after_the_block_also_if_a_child_still_has_it(tmp_path: Path) -> None:
    with machine_lock("test_a", print, tmp_path) as descriptor:
        child = subprocess.Popen(["sleep", "600"], pass_fds=[descriptor])
    lines: list[str] = []
    with machine_lock("test_b", lines.append, tmp_path):
        assert lines == []
    child.kill()
    child.wait()


def test_a_child_holds_it_where_the_owner_was_killed(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys; from pathlib import Path; from brownout.machine_lock import machine_lock\n"
        "with machine_lock('test_a', print, Path(sys.argv[1])) as lock:\n"
        "    print(subprocess.Popen(['sleep', '600'], pass_fds=[lock], stdout=-3, stderr=-3).pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(python_words("-c", code, str(tmp_path)), capture_output=True, text=True, check=False)
    lines: list[str] = []

    def end(line: str) -> None:
        lines.append(line)
        os.kill(int(done.stdout), 9)

    with machine_lock("test_b", end, tmp_path):
        assert "test_a" in lines[0]


def test_an_error_in_the_block_frees_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), machine_lock("test_a", print, tmp_path):
        raise ZeroDivisionError
    with machine_lock("test_b", pytest.fail, tmp_path):
        pass


def test_a_lock_that_cannot_be_made_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"gone/brownout-plays-\d+\.lock: cannot be made .*TMPDIR"),
        machine_lock("test_a", print, tmp_path / "gone"),
    ):
        pytest.fail("it was made")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("content")
    (tmp_path / f"brownout-plays-{os.getuid()}.lock").symlink_to(precious)
    with pytest.raises(UsageError), machine_lock("test_a", print, tmp_path):
        pytest.fail("it was followed")
    assert precious.read_text() == "content"
