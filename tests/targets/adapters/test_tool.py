"""Tools that fail, hang, or cannot be started."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from targets.adapters.tool import ToolFailed, run_tool, tool_environment


def test_the_output_of_both_streams_is_returned() -> None:
    assert sorted(run_tool(["sh", "-c", "echo out; echo err >&2"], within_s=5).split()) == ["err", "out"]


def test_a_failure_shows_the_last_lines_without_control_characters() -> None:
    script = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo line $n; done; printf '\\033[31mno space\\n'; exit 3"
    with pytest.raises(ToolFailed) as failed:
        run_tool(["sh", "-c", script], within_s=5)
    message = str(failed.value)
    assert "failed (status 3)" in message
    assert "line 14" in message
    assert "line 2\n" not in message
    assert "\x1b" not in message


def test_a_tool_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"echo begun; sleep 60 & echo $! > {pid_file}; wait"
    started = time.monotonic()
    with pytest.raises(ToolFailed, match=r"took longer than 0\.3 s:\n    begun"):
        run_tool(["sh", "-c", script], within_s=0.3)
    assert time.monotonic() - started < 5
    state = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    deadline = time.monotonic() + 5
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.01)


def test_a_tool_that_is_missing_is_named() -> None:
    with pytest.raises(ToolFailed, match="no-such-tool cannot be started: No such file"):
        run_tool(["no-such-tool"], within_s=5)


def test_a_tool_that_installs_is_not_steered_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PIP_TARGET", "PIP_USER", "BROWNOUT_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PIP_CERT", "kept")
    made = tool_environment()
    assert not {"PYTHONPATH", "PIP_TARGET", "PIP_USER", "BROWNOUT_TOKEN"} & set(made)
    assert (made["PIP_CERT"], made["LC_ALL"]) == ("kept", "C")


def test_a_tool_gets_no_input() -> None:
    assert (
        run_tool(
            [sys.executable, "-c", "print(repr(input() if False else __import__('sys').stdin.read()))"], within_s=20
        ).strip()
        == "''"
    )
