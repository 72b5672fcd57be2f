"""`brownout gameday` in a process of its own, for `gameday_demo`: its links, its record, its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from bench.left_of_run import members
from bench.tied import tied
from brownout.children import python_words
from brownout.search_path import own_environment

__all__ = ["GONE_WITHIN_S", "Failed", "GameDayChild", "within"]

READY_WITHIN_S: Final = 90.0
ENDS_WITHIN_S: Final = 60.0
GONE_WITHIN_S: Final = 20.0
_LINK: Final = re.compile(r"^\s+(game master|responders|audience \(wall\))\s+(\S+)$", re.MULTILINE)


class Failed(Exception):
    """Something did not hold. The message is a sentence for the user."""


class GameDayChild:
    """`brownout gameday` in a process and session of its own. Ends with the block, and with this process."""

    def __init__(self, scenario: Path, out: Path) -> None:
        self.runs = out / "runs"
        self._output = out / "output.txt"
        command = python_words("-m", "chaos.cli.app", "gameday", str(scenario), "--runs", str(self.runs))
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                tied(command, signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=own_environment(os.environ),
            )

    def __enter__(self) -> GameDayChild:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(GONE_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()  # its shepherd reverts the faults and ends the stack
                self.process.wait()
        if self.folder is not None:
            within(lambda: not members(self.folder or Path()), GONE_WITHIN_S)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(errors="replace")

    @property
    def folder(self) -> Path | None:
        """The folder of its record, once there is one."""
        return next(iter(sorted(self.runs.glob("*-*"))), None)

    def links(self) -> dict[str, str]:
        """The three links, by who gets them, once the stack is ready. Raises Failed."""
        within(lambda: "Ctrl-C ends" in self.output or self.process.poll() is not None, READY_WITHIN_S)
        found = dict(_LINK.findall(self.output))
        if len(found) < 3:
            raise Failed(f"the stack was not ready within {READY_WITHIN_S:g} s:\n{self.output.strip()[-1500:]}")
        return found

    def leave(self) -> int:
        """End the review, as Ctrl-C does. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"brownout gameday did not end within {ENDS_WITHIN_S:g} s after Ctrl-C") from None


def within(condition: Any, within_s: float) -> bool:
    """Wait until a condition holds. Returns whether it did in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
