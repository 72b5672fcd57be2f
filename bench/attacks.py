"""Attacks on a run, for `bench.self_chaos`: one part of it is killed, stopped, flooded or gets no more disk space.

Each attack says which exit codes it may cause: what the documentation promises (`docs/measures.md`, "The verdict of a
run").
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.small_disk import fill
from bench.tied import tied
from brownout.children import python_words
from chaos.supervision.link import RUN_MARK

__all__ = ["ATTACKS", "VERDICTS", "Attack", "Target", "events_of"]

VERDICTS: Final = frozenset({0, 1, 3})
"""The exit codes of a run that played to its end."""
STOPPED_S: Final = 7.0
"""How long a runner is stopped: longer than its lease with the shepherd (5 s)."""
FLOOD: Final = 200
"""Connections to the collector that send half a request and no more."""


def events_of(folder: Path) -> list[dict[str, Any]]:
    """The events that are written so far; an incomplete line is left out."""
    found = []
    with contextlib.suppress(OSError):
        for line in (folder / "events.jsonl").read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return [event for event in found if isinstance(event, dict)]


@dataclass(slots=True)
class Target:
    """A run under attack. `runner`: its pid. `folder`: its record, None before it exists. `disk`: its own file system,
    None without one."""

    runner: int
    folder: Path | None
    disk: Path | None

    def pid(self, name: str) -> int | None:
        """The pid of a process of the run by its name, `shepherd` or `replica` (one that no fault acts on)."""
        if name == "runner":
            return self.runner
        pid = self._recorded(name)
        return pid if pid is not None and self._of_this_run(pid, name) else None

    def _of_this_run(self, pid: int, name: str) -> bool:
        """Whether the process is one of this run: a pid of a record may belong to another process by now."""
        assert self.folder is not None
        with contextlib.suppress(OSError):
            if name == "shepherd":
                return str(self.folder / "undo.jsonl").encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
            return f"{RUN_MARK}={self.folder.name}/".encode() in Path(f"/proc/{pid}/environ").read_bytes()
        return False

    def _recorded(self, name: str) -> int | None:
        if name == "shepherd":
            gateway = self._recorded("gateway")
            return None if gateway is None else _parent(gateway)
        events = events_of(self.folder) if self.folder is not None else []
        hit = {target for event in events if event.get("type") == "fault" for target in event.get("targets") or ()}
        running: dict[str, dict[str, Any]] = {}
        for event in events:
            if event.get("type") == "process" and event.get("event") in ("started", "exited"):
                running.pop(str(event["name"]), None)
                if event["event"] == "started":
                    running[str(event["name"])] = event
        if name == "replica":
            names = [one for one, event in running.items() if event["kind"] == "replica" and one not in hit]
            name = names[0] if names else ""
        return int(running[name]["pid"]) if name in running else None


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("PPid:")).split()[1])
    return None


Act = Callable[[Target], bool]
"""Attacks; returns whether there was something to attack."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    `during`: the exit codes that it may cause from the setup to the end of the load. `before`: others, before the
    setup. `ends_within_s`: how long the run may go on after it, None: to its planned end.
    """

    name: str
    act: Act
    during: frozenset[int]
    before: frozenset[int] = frozenset()
    ends_within_s: float | None = None
    needs_disk: bool = False

    def __str__(self) -> str:
        return self.name


def _signal(part: str, *signals: signal.Signals, pause_s: float = 0.0) -> Act:
    def act(target: Target) -> bool:
        pid = target.pid(part)
        if pid is None:
            return False
        for number, signum in enumerate(signals):
            if number:
                time.sleep(pause_s)  # the attack itself: the time between two signals
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        return True

    return act


_FLOODING = """
import os, select, socket, sys
host, port, runner, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
held = []
for _ in range(count):
    try:
        held.append(socket.create_connection((host, port), timeout=1))
        held[-1].sendall(b"POST /v1/counters HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Le")
    except OSError:
        pass
print(len(held), flush=True)
descriptor = os.pidfd_open(runner)
select.select([descriptor], [], [], 120)
"""


def _flood(target: Target) -> bool:
    """Open connections to the collector, send half a request on each, and hold them until the run ends.

    The collector may drop some of them: it is an attack if half of them could be opened.
    """
    address = _collector(target)
    if address is None:
        return False
    words = [address[0], str(address[1]), str(target.runner), str(FLOOD)]
    command = tied(python_words("-I", "-S", "-c", _FLOODING, *words), signal.SIGKILL)
    flooding = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert flooding.stdout is not None
    with flooding.stdout as opened:  # at the end of the flood, or of the process
        return int(opened.readline() or 0) >= FLOOD // 2


def _collector(target: Target) -> tuple[str, int] | None:
    pid = target.pid("gateway")
    if pid is None:
        return None
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(b"BROWNOUT_COLLECTOR="):
                url = urlsplit(entry.partition(b"=")[2].decode())
                return str(url.hostname), int(url.port or 0)
    return None


def _fill(target: Target) -> bool:
    """Fill the file system of the record."""
    if target.disk is None or target.folder is None:
        return False
    fill(target.disk)
    return True


def _all() -> Iterator[Attack]:
    kill, stop, resume = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT
    own, interrupted = frozenset({5}), frozenset({130})
    for part in ("gateway", "replica", "locust", "shepherd"):
        yield Attack(f"SIGKILL {part}", _signal(part, kill), own)
        yield Attack(f"SIGSTOP {part}", _signal(part, stop), own)
    yield Attack("SIGKILL runner", _signal("runner", kill), frozenset({-int(kill)}), ends_within_s=8.0)
    yield Attack("SIGSTOP runner", _signal("runner", stop, resume, pause_s=STOPPED_S), own, VERDICTS)
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Python itself ends with -SIGINT or -SIGTERM before the handlers are installed.
        at_once = frozenset({-int(signum)})
        yield Attack(f"{signum.name} runner", _signal("runner", signum), interrupted, at_once, ends_within_s=5.0)
    twice = _signal("runner", signal.SIGINT, signal.SIGINT, pause_s=0.3)
    yield Attack("SIGINT twice", twice, interrupted, frozenset({-int(signal.SIGINT)}), ends_within_s=2.0)
    yield Attack("flood of the collector", _flood, VERDICTS)
    yield Attack("full disk", _fill, own, needs_disk=True)


ATTACKS: Final[dict[str, Attack]] = {attack.name: attack for attack in _all()}
"""Every attack, by its name."""
