"""Processes that use all the CPU they can get, each in a session of its own, until a block ends.

The kernel gives all processes of one session one share of the CPU (autogroup, sched(7)). Several busy processes in one
session would therefore weigh as much as one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.tied import tied
from brownout.children import python_words

__all__ = ["BusyProcesses", "busy_processes"]

_BUSY = "print('busy', flush=True)\nwhile True: pass"


class BusyProcesses:
    """The busy processes of a block. `pids`: of each."""

    def __init__(self, processes: list[subprocess.Popen[bytes]]) -> None:
        self._processes = processes
        self._cpu_s = self._used_s()
        self._since_s = time.monotonic()

    @property
    def pids(self) -> list[int]:
        """The process ids."""
        return [process.pid for process in self._processes]

    def cores(self) -> float:
        """How many cores they used on average since the block began. Raises RuntimeError if one has ended."""
        ended = [process.pid for process in self._processes if process.poll() is not None]
        if ended:
            raise RuntimeError(f"the busy processes {ended} ended early: the load was less than planned")
        return (self._used_s() - self._cpu_s) / max(time.monotonic() - self._since_s, 1e-9)

    def _used_s(self) -> float:
        return sum(_cpu_s(process.pid) for process in self._processes)


@contextmanager
def busy_processes(count: int) -> Iterator[BusyProcesses]:
    """Run `count` busy processes in the block; all of them run before it begins. They are killed when it ends.

    If this process is killed, or the calling thread ends, the kernel kills them. Raises RuntimeError if one cannot be
    started.
    """
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            processes.append(_start())
            stack.callback(_kill, processes[-1])
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != b"busy\n":
                raise RuntimeError(f"a busy process ended at once, with status {process.wait()}")
        yield BusyProcesses(processes)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        tied(python_words("-I", "-S", "-c", _BUSY), signal.SIGKILL),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process: utime and stime of proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
