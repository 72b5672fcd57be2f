"""Notices a process of the run that is silent: it exists, but posts no counters any more.

Every process posts them four times a second. Silence is measured on the runner's own running time: while the whole
machine stands still, or the runner itself, no process becomes silent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["HUNG_S", "LOOK_EVERY_S", "STARVED_S", "STOPPED_S", "Silence", "SilenceWatch", "silence_text"]

STOPPED_S: Final = 3.0
"""A process that the kernel shows as stopped (SIGSTOP) is silent after this many seconds without a post."""
HUNG_S: Final = 4.5
"""A process that runs and does not post hangs after this many, if the machine gave it CPU time."""
STARVED_S: Final = 10.0
"""One that waits for a CPU for at least `STARVED_SHARE` of this time is silent after this many: the machine is busy."""
STARVED_SHARE: Final = 0.25
SUSPECTED_S: Final = 1.0
"""From here on, its wait for a CPU is measured."""
LOOK_EVERY_S: Final = 0.25
MAX_STEP_S: Final = 0.5
"""Two looks are at most this far apart in running time; the rest of the time, the runner stood still."""

_WHO: Final = {
    "load": "the load generator",
    "gateway": "the gateway",
    "adapter": "the gateway",
    "replica": "the replica",
}


@dataclass(frozen=True, slots=True)
class Silence:
    """A silent process. `for_s`: seconds since its last post. `stopped`: the kernel shows it as stopped."""

    process: str
    for_s: float
    stopped: bool


class SilenceWatch:
    """Watches the processes that post counters.

    `state(process)` returns `running`, `stopped` or `gone`. `excused(process)`: whether a fault may be silencing it.
    `waited_s(process)`: seconds that it has waited for a CPU since its start, None where that is not known. `clock`:
    monotonic seconds.
    """

    def __init__(
        self,
        state: Callable[[str], str],
        excused: Callable[[str], bool],
        waited_s: Callable[[str], float | None] = lambda process: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._excused = excused
        self._waited_s = waited_s
        self._clock = clock
        self._running_s = 0.0
        self._looked_s: float | None = None
        self._posted: dict[tuple[str, int], float] = {}
        """Running time of the last post of each process, by name and incarnation."""
        self._suspected: dict[tuple[str, int], tuple[float, float | None]] = {}
        """Running time, and `waited_s`, when a process was first late with its post."""
        self._exited: set[tuple[str, int]] = set()

    def posted(self, process: str, incarnation: int, *, final: bool = False) -> None:
        """A process has posted its counters. It is watched from its first post to its `final` one."""
        if final:
            self.exited(process, incarnation)
        elif (process, incarnation) not in self._exited:  # a last post may be read after the notice of the exit
            self._posted[process, incarnation] = self._running_s
            self._suspected.pop((process, incarnation), None)

    def exited(self, process: str, incarnation: int) -> None:
        """A process has ended."""
        self._posted.pop((process, incarnation), None)
        self._suspected.pop((process, incarnation), None)
        self._exited.add((process, incarnation))

    def look(self) -> Silence | None:
        """The first process that is silent now. To be called every `LOOK_EVERY_S` seconds."""
        now = self._clock()
        self._running_s += 0.0 if self._looked_s is None else min(now - self._looked_s, MAX_STEP_S)
        self._looked_s = now
        for (process, incarnation), posted_s in self._posted.items():
            silent_s = self._running_s - posted_s
            if self._excused(process):
                self._posted[process, incarnation] = self._running_s
                self._suspected.pop((process, incarnation), None)
            elif silent_s >= SUSPECTED_S:
                begun = self._suspected.setdefault((process, incarnation), (self._running_s, self._waited_s(process)))
                if silent_s < STOPPED_S:
                    continue
                state = self._state(process)
                if state == "stopped" or (state == "running" and silent_s >= self._limit_s(process, *begun)):
                    return Silence(process, silent_s, state == "stopped")
        return None

    def _limit_s(self, process: str, since_s: float, waited_then_s: float | None) -> float:
        """How long a running process may be silent, by how long it has waited for a CPU since it was late first."""
        waited_s = self._waited_s(process)
        if waited_s is None or waited_then_s is None:
            return STARVED_S
        starved = waited_s - waited_then_s > STARVED_SHARE * (self._running_s - since_s)
        return STARVED_S if starved else HUNG_S


def silence_text(silence: Silence, kind: str, at_s: float, log: str) -> str:
    """Why the run ends. `kind`: of the process. `at_s`: now, seconds since the start of the load. `log`: its end."""
    if silence.stopped:
        what = "the process is stopped (as by kill -STOP), and no fault of the experiment did that"
        helps = "let nothing stop a process of the run (kill -STOP, a debugger, a paused container), and run again"
    else:
        what = "the process is there and does not post, and no fault of the experiment explains that"
        helps = "the log of the process, and the other load of this machine; then run again"
    return (
        f"{_WHO.get(kind, kind)} ({silence.process}) is silent: no counters for {silence.for_s:.0f} s, "
        f"since second {max(0.0, at_s - silence.for_s):.0f} of the load\n    {what}\n    what helps: {helps}{log}"
    )
