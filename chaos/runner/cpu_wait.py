"""How long a process has waited for a CPU: it tells a process that hangs from one that the machine leaves no CPU."""

from __future__ import annotations

from pathlib import Path

__all__ = ["waited_for_cpu_s"]


def waited_for_cpu_s(pid: int, proc: Path = Path("/proc")) -> float | None:
    """Seconds since its start that the main thread of a process was ready to run and had no CPU.

    The second field of `/proc/PID/schedstat` (Linux, Documentation/scheduler/sched-stats.rst), in nanoseconds there.
    None: the process is gone, or the kernel does not count it: all fields are 0 then, also the first, its time on a
    CPU.
    """
    try:
        ran, waited = (int(field) for field in (proc / str(pid) / "schedstat").read_text().split()[:2])
        return waited / 1e9 if ran else None
    except (OSError, ValueError):
        return None
