"""A `brownout up` in a process of its own, and commands from another terminal."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from brownout.children import python_words
from chaos.cli.app import app
from chaos.supervision.undo import pending
from reports.shared.errors import BrownoutError, UserError
from tests.support.run_helpers import events, of_run, until, write_experiment

__all__ = ["HandSession"]

READY = "Ctrl-C ends it"


class HandSession:
    """A `brownout up` of a small stack, ready for commands. Its runtime folder is in the test's folder."""

    def __init__(self, folder: Path, *words: str, reserve: str = "") -> None:
        """`reserve`: the cold start of a pool `spare` in reserve; "" for none."""
        write_experiment(folder)
        if reserve:
            file = folder / "small-stack.yaml"
            spare = f"  spare: {{cloud: aws, hardware: llama-70b-h100x4, reserve: {reserve}}}\n"
            file.write_text(file.read_text().replace("gateway:", spare + "gateway:"))
        (folder / "runtime").mkdir(mode=0o700, exist_ok=True)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder / "runtime")}
        self.runtime = folder / "runtime" / "brownout"
        self.runs = folder / "runs"
        stack = ["--stack", str(folder / "small-stack.yaml"), "--runs", str(self.runs)]
        with (folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                python_words("-m", "chaos.cli.app", "up", *stack, *words),
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self.environment,
            )
        self._output = folder / "output"
        until(lambda: READY in self.output or self.process.poll() is not None, "the stack is ready", 60)
        assert READY in self.output, self.output

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def folder(self) -> Path:
        return next(self.runs.glob("*-*"))

    def shepherd(self) -> int:
        undo = str(self.folder / "undo.jsonl")
        return next(pid for pid in of_run(self.folder) if undo in Path(f"/proc/{pid}/cmdline").read_text())

    def pid(self, name: str) -> int:
        started = [one for one in events(self.folder, "process") if one["name"] == name and one["event"] == "started"]
        return int(started[-1]["pid"])

    def ask(self, *words: str) -> tuple[int, str]:
        """A command from another terminal: exit code and output."""
        done = CliRunner(env={"XDG_RUNTIME_DIR": str(self.runtime.parent)}).invoke(app, list(words))
        if isinstance(done.exception, BrownoutError):
            return 2 if isinstance(done.exception, UserError) else 5, done.output + str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def status(self) -> dict[str, Any]:
        code, output = self.ask("status", "--json")
        assert code == 0, output
        (facts,) = json.loads(output)
        return dict(facts)

    def states(self) -> dict[str, str]:
        return {row["name"]: row["state"] for row in self.status()["replicas"]}

    def nothing_left(self) -> None:
        until(lambda: not of_run(self.folder), "the end of every process")
        assert not pending(self.folder / "undo.jsonl")
