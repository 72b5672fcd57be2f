"""Ctrl-C and other signals that end a run: how the first one and the second one are obeyed, and within which time.

The first signal ends the run early: the load stops, every fault is reverted, every process ends, the record is closed.
A second one kills every process now. What has not ended `GENTLE_S` after the first is treated as if a second one had
come. If even that takes longer than `NOW_S`, this process exits by itself; its shepherd then kills what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from chaos.runner.early_end import EarlyEnd

__all__ = ["GENTLE_S", "NOW_S", "Interrupts"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GENTLE_S: Final = 2.8
"""From the first signal to the moment where every process is killed, seconds."""
NOW_S: Final = 1.5
"""From the second signal (or the end of `GENTLE_S`) to the exit of this process, seconds."""
TOLD_WITHIN_S: Final = 0.1
"""How long that exit waits for its message to be taken, seconds."""
EXIT_INTERRUPTED: Final = 130
_SHOW_CURSOR: Final = "\x1b[?25h"


class Interrupts:
    """The handlers of the signals.

    `kill_all()` begins to kill every process; `say(text)` informs the user. `first`: what the first signal does, in
    words. `afterwards`: what the user can do where this process exits before the end is known. `more_s()`: how much
    longer each of the two times is, seconds.
    """

    def __init__(
        self,
        early: EarlyEnd,
        kill_all: Callable[[], None],
        say: Callable[[str], None],
        first: str = "the load stops, then every fault is reverted",
        afterwards: str = "",
        more_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._early = early
        self._kill_all = kill_all
        self._say = say
        self._first = first
        self._afterwards = afterwards
        self._more_s = more_s
        self._timers: list[asyncio.TimerHandle] = []
        self._exits: list[threading.Timer] = []
        self._killed = False
        self._received = 0
        self._before: dict[signal.Signals, Any] = {}

    @property
    def received(self) -> bool:
        """Whether a signal came."""
        return self._received > 0

    def install(self) -> None:
        """Handle the signals from now on, in the running event loop. A SIGHUP that is ignored (`nohup`) stays so."""
        loop = asyncio.get_running_loop()
        for signum in SIGNALS:
            before = signal.getsignal(signum)
            if (signum, before) != (signal.SIGHUP, signal.SIG_IGN):
                self._before[signum] = before
                loop.add_signal_handler(signum, self.on_signal, signum)

    def close(self) -> None:
        """The run has ended: nothing is killed any more, and signals do what they did before."""
        for signum, before in self._before.items():
            asyncio.get_running_loop().remove_signal_handler(signum)
            signal.signal(signum, before)
        self._before.clear()
        for timer in self._timers:
            timer.cancel()
        for exiting in self._exits:
            exiting.cancel()

    def on_signal(self, signum: signal.Signals) -> None:
        """A signal came."""
        self._received += 1
        self._early.end("interrupted", f"interrupted by {signum.name}", EXIT_INTERRUPTED)
        if self._received == 1:
            gentle_s = GENTLE_S + self._more_s()
            self._exit_after(gentle_s + NOW_S + self._more_s())
            self._timers.append(asyncio.get_running_loop().call_later(gentle_s, self._now))
            self._say(f"interrupted: {self._first} (once more: end everything now)")
        else:
            self._now()

    def _now(self) -> None:
        if self._killed:
            return
        self._killed = True
        self._exit_after(NOW_S + self._more_s())
        self._kill_all()
        self._say("every process is killed now")

    def _exit_after(self, seconds: float) -> None:
        """A thread, because the event loop may be what does not end."""
        exiting = threading.Timer(seconds, _exit, [self._afterwards])
        exiting.daemon = True
        exiting.start()
        self._exits.append(exiting)


def _exit(afterwards: str) -> None:
    try:
        telling = threading.Thread(target=_tell, args=(afterwards,), daemon=True)
        telling.start()
        telling.join(TOLD_WITHIN_S)  # a terminal that is closed, or stopped by Ctrl-S, delays no exit
    finally:
        os._exit(EXIT_INTERRUPTED)


def _tell(afterwards: str) -> None:
    show = _SHOW_CURSOR if os.isatty(1) else ""
    text = f"{show}interrupted: ended before the record was closed; the shepherd kills every process\n{afterwards}"
    with contextlib.suppress(OSError):
        os.write(1, text.encode())
