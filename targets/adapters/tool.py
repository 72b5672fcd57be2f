"""Runs a tool of the machine (pip, apt-get, npm) to its end, within a time limit, and explains its failure."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from reports.shared.errors import TargetFailed
from reports.shared.plain_text import printable

__all__ = ["ToolFailed", "run_tool", "tool_environment"]

_LAST_LINES: Final = 12
_LONGEST_LINE: Final = 300

_STEERED: Final = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "VIRTUAL_ENV")
"""Variables that would make pip install into another place."""


class ToolFailed(TargetFailed):
    """A tool failed, could not be started, or took too long. The message has the last lines of its output."""


def tool_environment() -> dict[str, str]:
    """The environment of this process for a tool that installs: nothing of ours, no questions, messages in English."""
    kept = {
        name: value for name, value in os.environ.items() if name not in _STEERED and not name.startswith("BROWNOUT_")
    }
    return {**kept, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PIP_NO_INPUT": "1"}


def run_tool(
    argv: Sequence[str], *, within_s: float, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run a command. Returns what it printed, standard error included. Raises ToolFailed.

    The command, with all processes of its group, is killed after `within_s` seconds, and if this process is
    interrupted.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=dict(environment if environment is not None else tool_environment()),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for us: the tool is killed below
        )
    except OSError as error:
        raise ToolFailed(f"{argv[0]} cannot be started: {error.strerror}") from None
    try:
        output, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired as error:
        _kill(process)
        so_far = error.stdout or b""
        text = so_far.decode(errors="replace") if isinstance(so_far, bytes) else so_far
        raise ToolFailed(_message(argv, f"took longer than {within_s:g} s", text)) from None
    except BaseException:
        _kill(process)
        raise
    if process.returncode != 0:
        raise ToolFailed(_message(argv, f"failed (status {process.returncode})", output))
    return output


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _message(argv: Sequence[str], what: str, output: str) -> str:
    lines = [line.rstrip()[:_LONGEST_LINE] for line in output.splitlines() if line.strip()]
    last = "".join(f"\n    {printable(line)}" for line in lines[-_LAST_LINES:])
    return f"{shlex.join(argv)} {what}" + (f":{last}" if last else "")
