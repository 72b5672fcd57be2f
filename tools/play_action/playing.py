"""Plays the steps of a checked action as the hosting service would."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from expressions import STATUS, Known, Wrong, evaluate, filled

__all__ = ["Play"]

TERM_AFTER_S: Final = 7.5
KILL_AFTER_S: Final = 2.5
_FILES: Final = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
_OF_ANOTHER_JOB: Final = ("GITHUB_", "RUNNER_", "GATE_")
_FORBIDDEN: Final = frozenset('":<>|*?\r\n')
"""Characters that a path in an artifact must not have."""

Outputs = dict[str, str]


class Play:
    """One play of an action. `exit_code`: that of the first step that failed. The summaries: `temp`/summary.md."""

    def __init__(self, action: Path, workspace: Path, temp: Path, inputs: dict[str, str]) -> None:
        self.known = Known(inputs)
        self.known.other = {
            "github.action_path": str(action.parent),
            "github.workspace": str(workspace),
            "runner.os": "Linux",
            "runner.temp": str(temp),
        }
        self.exit_code = 0
        self._action, self._workspace, self._temp = action, workspace, temp
        self._environment: dict[str, str] = {}
        self._path: list[str] = []
        self._running: subprocess.Popen[bytes] | None = None

    def play(self, data: Mapping[str, Any]) -> Outputs:
        """Play every step. Returns the outputs of the action. Raises Wrong."""
        for step in data["runs"]["steps"]:
            outcome, outputs = "skipped", Outputs()
            if self._is_due(str(step.get("if", "success()"))):
                print(f"--- {step['name']}", flush=True)
                code, outputs = self._run(step) if "run" in step else self._imitate(step)
                outcome = "success" if not code else "cancelled" if self.known.cancelled else "failure"
                if code and not self.known.failed:
                    self.known.failed, self.exit_code = True, code
            else:
                print(f"--- {step['name']}: skipped", flush=True)
            if "id" in step:
                self.known.steps[step["id"]] = {"outcome": outcome, "outputs": outputs}
        return {name: filled(output["value"], self.known) for name, output in data.get("outputs", {}).items()}

    def cancel(self) -> None:
        """End the running step as the service does, and play only steps that run always."""
        if not self.known.cancelled and self._running is not None and self._running.poll() is None:
            self._running.send_signal(signal.SIGINT)
        self.known.cancelled = True

    def _is_due(self, condition: str) -> bool:
        if not any(f"{name}()" in condition for name in STATUS):
            condition = f"success() && ({condition})"
        return bool(evaluate(condition, self.known))

    def _run(self, step: Mapping[str, Any]) -> tuple[int, Outputs]:
        """Run the script of a step. Returns its exit code and its outputs."""
        folder = Path(tempfile.mkdtemp(prefix="step-", dir=self._temp))
        files = {name: folder / name.lower() for name in _FILES}
        for file in files.values():
            file.touch()
        script = folder / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        environment = self._service_variables() | self._environment
        environment |= {name: filled(value, self.known) for name, value in step.get("env", {}).items()}
        environment |= {name: str(file) for name, file in files.items()}
        environment["PATH"] = os.pathsep.join((*reversed(self._path), environment["PATH"]))
        self._running = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self._workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        code = self._end_of(self._running)
        self._running = None
        self._environment |= _named_values(files["GITHUB_ENV"])
        self._path += files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines()
        with (self._temp / "summary.md").open("a", encoding="utf-8") as summary:
            summary.write(files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"))
        return code, _named_values(files["GITHUB_OUTPUT"])

    def _end_of(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a step; if the job is cancelled meanwhile, end it as the service does. Returns its exit code."""
        while not self.known.cancelled:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(0.1)
        for wait_s, then in ((TERM_AFTER_S, signal.SIGTERM), (KILL_AFTER_S, signal.SIGKILL)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(wait_s)
            print(f"--- the step has not ended {wait_s:g} s later: {then.name}", flush=True)
            with contextlib.suppress(ProcessLookupError):
                if then == signal.SIGKILL:
                    os.killpg(process.pid, then)
                else:
                    process.send_signal(then)
        return process.wait()

    def _service_variables(self) -> dict[str, str]:
        """Those of this shell, without what another job has set, and those that the service sets."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_ANOTHER_JOB)}
        kept.setdefault("PATH", os.defpath)
        return kept | {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self._action.parent),
            "GITHUB_WORKSPACE": str(self._workspace),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self._temp),
        }

    def _imitate(self, step: Mapping[str, Any]) -> tuple[int, Outputs]:
        """What an action of others would do here, as exit code and outputs. Raises Wrong."""
        name = step["uses"].partition("@")[0]
        given = {key: filled(value, self.known) for key, value in step.get("with", {}).items()}
        empty = [key for key, value in given.items() if not value]
        if empty:
            raise Wrong(f"{name}: its input {empty[0]} is empty")
        match name:
            case "actions/setup-python":
                return 0, self._this_python()
            case "actions/cache/restore":
                hit = Path(given["path"]).is_dir()
                print(f"{given['key']}: {'hit' if hit else 'miss'}", flush=True)
                return 0, {"cache-hit": "true"} if hit else {}
            case "actions/cache/save":
                print(given["key"], flush=True)
                return int(not Path(given["path"]).is_dir()), {}
            case "actions/upload-artifact":
                return self._upload(given), {}
        raise Wrong(f"{name} is not known here")

    def _this_python(self) -> Outputs:
        """Put this Python on the PATH of the steps that follow."""
        print(f"set up: {sys.executable}, Python {sys.version.split()[0]}", flush=True)
        place = self._temp / "python"
        place.mkdir(exist_ok=True)
        for name in ("python", "python3"):
            (place / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
            (place / name).chmod(0o755)
        self._path.append(str(place))
        return {"python-version": sys.version.split()[0]}

    def _upload(self, given: Mapping[str, str]) -> int:
        """Look at the files of an artifact. Returns 1 if one cannot be in an artifact, or if there is none at all."""
        places = [self._workspace / line for line in given["path"].splitlines() if line]
        files = [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]
        print(
            f"{given['name']}: {len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB",
            flush=True,
        )
        invalid = [file for file in files if _FORBIDDEN & set(str(file.relative_to(self._workspace)))]
        if invalid:
            print(f"no name for a file in an artifact: {invalid[0]}", flush=True)
        return int(bool(invalid) or (not files and given.get("if-no-files-found") == "error"))


def _named_values(file: Path) -> dict[str, str]:
    """The content of a GITHUB_OUTPUT or GITHUB_ENV: NAME=VALUE, or NAME<<END, lines, END. Raises Wrong."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").splitlines())
    for line in lines:
        several = re.fullmatch(r"([\w-]+)<<(.+)", line)
        single = re.fullmatch(r"([\w-]+)=(.*)", line)
        if several:
            content: list[str] = []
            for one in lines:
                if one == several[2]:
                    break
                content.append(one)
            else:
                raise Wrong(f"{file.name}: {several[1]} is not ended by {several[2]}")
            found[several[1]] = "\n".join(content)
        elif single:
            found[single[1]] = single[2]
        else:
            raise Wrong(f"{file.name}: {line!r} is not NAME=VALUE")
    return found
