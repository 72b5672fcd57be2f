"""Real runs of a small experiment, for tests that inspect or interrupt them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from brownout.children import python_words
from chaos.supervision.undo import pending

STACK = """
brownout: 1
name: small
title: two pools of one replica
model: llama-3.3-70b
pools:
  left: {cloud: aws, hardware: llama-70b-h100x4, replicas: 1}
  right: {cloud: gcp, hardware: llama-70b-tpu-v6e-8, replicas: 1}
gateway: {policies: POLICIES}
"""
POLICIES = """{
  ejection: {consecutive_failures: 2, base_s: 1, max_share: 0.5},
  breaker: {window_calls: 10, open_s: 1, half_open_calls: 1},
  probes: {interval_s: 0.5},
  timeouts: {between_tokens_s: 1.5}}"""

PROFILE = """
title: short sessions
arrivals: {constant: {rate: 4}}
shared_prefix: 400
own_prefix: 100
calls: {min: 2, max: 3}
appended: 50
output: 12
tool: 50ms
"""

EXPERIMENT = """
brownout: 1
name: small
title: A pool is lost and no session is lost
target: {stack: small-stack.yaml}
load: {profile: small-profile.yaml}
slo: {ttft: 5s, tpot: 500ms}
timeline:
  warmup: 1s
  baseline: 2s
  faults: [FAULT]
  recovery: 2s
  drain: 10s
gates: [GATES]
GUARDRAILS
seed: 3
"""
KILL = "{at: 0s, for: 2s, kill: {pool: right}}"
GATES = "sessions_lost == 0, silent_truncations == 0"


def write_experiment(
    folder: Path, *, fault: str = KILL, gates: str = GATES, guardrails: str = "", policies: str = POLICIES
) -> Path:
    """Write a small experiment with its stack and profile; returns its path."""
    (folder / "small-stack.yaml").write_text(STACK.replace("POLICIES", policies))
    (folder / "small-profile.yaml").write_text(PROFILE)
    text = EXPERIMENT.replace("FAULT", fault).replace("GATES", gates)
    path = folder / "small.yaml"
    path.write_text(text.replace("GUARDRAILS", guardrails))
    return path


class Run:
    """A `brownout run` in a process of its own, and the record that it writes."""

    def __init__(
        self,
        experiment: Path,
        runs: Path,
        *more: str,
        environment: dict[str, str] | None = None,
        terminal: int | None = None,
    ) -> None:
        """`terminal`: the descriptor of a terminal for its output, which is not kept then."""
        self.runs = runs
        self.process = subprocess.Popen(
            python_words("-m", "chaos.cli.app", "run", str(experiment), "--runs", str(runs), *more),
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self.output = ""

    @property
    def folder(self) -> Path:
        """The folder of the run; waits until it exists."""
        until(lambda: bool(list(self.runs.glob("*-*/events.jsonl"))), "the run's folder")
        return sorted(self.runs.glob("*-*"))[-1]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The events written so far."""
        return list(events(self.folder, kind))

    def reached(self, phase: str, within_s: float = 40) -> None:
        """Wait until a phase has begun."""
        until(lambda: phase in [event["phase"] for event in self.events("phase")], f"phase {phase}", within_s)

    def stage(self, stage: str, within_s: float = 40) -> None:
        """Wait until a fault has reached a stage."""
        until(lambda: stage in [event["stage"] for event in self.events("fault")], f"fault {stage}", within_s)

    def pid(self, name: str) -> int:
        """The pid of the last process that was started with this name."""
        started = [event for event in self.events("process") if event["name"] == name and event["event"] == "started"]
        return int(started[-1]["pid"])

    def end(self, within_s: float = 60) -> int:
        """Wait for the end of the run; returns its exit code."""
        try:
            self.output, _ = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.output, _ = self.process.communicate()
            raise AssertionError(f"the run did not end within {within_s} s:\n{self.output}") from None
        return self.process.returncode

    def every_fault_is_reverted(self) -> bool:
        """Whether no fault is left to undo, and a record that was closed says so of each that was injected.

        On a busy machine an interrupted run may end before its record is closed.
        """
        stages = [event["stage"] for event in self.events("fault")]
        closed = any(event["event"] != "started" for event in self.events("run"))
        return not pending(self.folder / "undo.jsonl") and (
            not closed or stages.count("injected") == stages.count("verified")
        )

    def nothing_left(self, within_s: float = 15) -> None:
        """Wait until no process of the run exists."""
        pids = {int(event["pid"]) for event in self.events("process") if event["event"] == "started"}
        until(lambda: not any(alive(pid, str(self.folder)) for pid in pids), "the end of every process", within_s)
        until(lambda: not of_run(self.folder), "the end of the shepherd", within_s)


def events(folder: Path, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """The events of a record, without an incomplete last line."""
    for line in (folder / "events.jsonl").read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if kind is None or event["type"] == kind:
            yield event


def alive(pid: int, mark: str) -> bool:
    """Whether the process with this pid exists and has `mark` in its environment."""
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def of_run(folder: Path) -> list[int]:
    """The pids of all processes, except this one, with the folder of the run in command line or environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def kill_all_of(folder: Path) -> None:
    """Kill what `of_run` finds, so that a test that fails leaves nothing behind."""
    for pid in of_run(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def brownout(*words: str) -> subprocess.CompletedProcess[str]:
    """A `brownout` command that ends within 60 s: its exit code and output."""
    command = python_words("-m", "chaos.cli.app", *words)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def report(folder: Path) -> tuple[int, str]:
    """`brownout report` on a record: exit code and output."""
    done = subprocess.run(
        python_words("-m", "chaos.cli.app", "report", str(folder)), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def until(condition: Callable[[], bool], what: str, within_s: float = 20, *, pause_s: float = 0.02) -> None:
    """Wait for a condition, at most `within_s`. `pause_s`: between two looks."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s} s")
        time.sleep(pause_s)  # polls a condition with a deadline
