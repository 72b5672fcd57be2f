"""Samples the CPU that a gateway's processes use: was the gateway itself the limit?

A gateway of the user's is whoever listens on its port, with all descendants (the workers of nginx or uvicorn inherit
the listening socket, or are children). It is unknown where /proc does not show it: on another machine, in a container,
or as another user's process.

The busiest thread counts: one event loop can use one core, however many the machine has. A thread that is ready to run
and waits for a CPU is busy as well, but then the machine is the limit, so both times are recorded.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chaos.runner.ports import listeners
from loadprofiles.client.endpoint import is_loopback

__all__ = ["CpuUse", "GatewayCpu", "port_of", "processes_at"]

SAMPLE_EVERY_S: Final = 1.0
LOOK_AGAIN_S: Final = 5.0
"""Finding who listens on a port reads the files of every process, so it is not done each second."""

_PROC: Final = Path("/proc")
_FORWARDERS: Final = ("docker-proxy", "rootlesskit", "rootlessport", "conmon", "slirp4netns", "pasta", "gvproxy", "ssh")
"""Programs that listen for a gateway that runs elsewhere: their CPU is not the gateway's."""


_Times = tuple[float, float]
"""Seconds on a CPU, and ready to run without one: the first fields of `/proc/PID/task/TID/schedstat`."""


@dataclass(frozen=True, slots=True)
class CpuUse:
    """Cores used since the sample before: by all processes, and by the busiest thread.

    `waiting`: the share of that time in which this thread waited for a CPU.
    """

    cores: float
    busiest: float
    waiting: float


def port_of(url: str) -> int | None:
    """The port of a gateway on this machine; None: it is on another one."""
    if not is_loopback(url):
        return None
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def processes_at(port: int, proc: Path = _PROC) -> list[int]:
    """The processes that listen on a port; empty where that is not known, or where one only forwards."""
    found = listeners(port)
    names = set()
    for pid in found:
        with contextlib.suppress(OSError):
            names.add((proc / str(pid) / "comm").read_text().strip())
    return [] if any(name.startswith(_FORWARDERS) for name in names) else found


class GatewayCpu:
    """`roots()`: the known processes of the gateway; their descendants count too. `clock`: monotonic seconds."""

    def __init__(
        self, roots: Callable[[], Collection[int]], clock: Callable[[], float] = time.monotonic, proc: Path = _PROC
    ) -> None:
        self._find = roots
        self._clock = clock
        self._proc = proc
        self._roots: Collection[int] = ()
        self._looked_s = -LOOK_AGAIN_S
        self._before: dict[tuple[int, int], _Times] = {}
        self._at_s: float | None = None

    def look(self) -> CpuUse | None:
        """The use since the last sample, once in `SAMPLE_EVERY_S`; None in between, and where it is unknown."""
        now = self._clock()
        if self._at_s is not None and now - self._at_s < SAMPLE_EVERY_S:
            return None
        spent = self._spent()
        if not spent and now - self._looked_s >= LOOK_AGAIN_S:
            self._looked_s, self._roots = now, self._find()
            spent = self._spent()
        before, since_s = self._before, None if self._at_s is None else now - self._at_s
        self._before, self._at_s = spent, now if spent else None
        if not spent or not before or since_s is None:
            return None
        used = [_since(before.get(thread, (0.0, 0.0)), now_s) for thread, now_s in spent.items()]
        busiest = max(used, key=sum)
        cores = sum(ran for ran, _ in used)
        return CpuUse(*(round(seconds / since_s, 3) for seconds in (cores, *busiest)))

    def _spent(self) -> dict[tuple[int, int], _Times]:
        """What each thread has spent so far, by process and thread."""
        return {
            (pid, thread): times
            for root in self._roots
            for pid in self._family(root)
            for thread, times in self._threads(pid)
        }

    def _family(self, pid: int) -> Iterator[int]:
        yield pid
        for task in self._entries(pid):
            with contextlib.suppress(OSError, ValueError):
                for child in (self._proc / str(pid) / "task" / task / "children").read_text().split():
                    yield from self._family(int(child))

    def _threads(self, pid: int) -> Iterator[tuple[int, _Times]]:
        for task in self._entries(pid):
            with contextlib.suppress(OSError, ValueError):
                ran, waited, _ = (self._proc / str(pid) / "task" / task / "schedstat").read_text().split()
                yield int(task), (int(ran) / 1e9, int(waited) / 1e9)

    def _entries(self, pid: int) -> list[str]:
        try:
            return os.listdir(self._proc / str(pid) / "task")
        except OSError:
            return []


def _since(before: _Times, now: _Times) -> _Times:
    return max(0.0, now[0] - before[0]), max(0.0, now[1] - before[1])
