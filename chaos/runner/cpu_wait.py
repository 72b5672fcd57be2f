"""How long a process has waited for a CPU: it tells a process that hangs from one that the machine leaves no CPU."""

from __future__ import annotations

from pathlib import Path

__all__ = ["waited_for_cpu_s"]


def waited_for_cpu_s(pid: int, proc: Path = Path("/proc")) -> float | None:
    """Seconds since its start that the main thread of a process was ready to run and had no CPU.

    The second field of `/proc/PID/schedstat` (Linux, Documentation/scheduler/sched-stats.rst), in nanoseconds there.
    None: the process is gone, or the kernel does not count it.
    """
    try:
        return int((proc / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
