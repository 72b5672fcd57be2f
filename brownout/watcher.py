"""Runs a command that must not outlive the process that wants it.

`python -I -S watcher.py CALLER GRACE_S COMMAND...`: CALLER is the pid of the parent process. The command gets SIGINT,
so that it can revert its faults, if the caller dies in any way, if this process gets SIGINT, SIGTERM or SIGHUP, and if
this process dies. It gets a second SIGINT after half of GRACE_S, and SIGKILL after GRACE_S. A further signal is passed
on. The exit code is the command's; 128 + N if signal N ended it; 130 if the caller had died before the start.

Why a process: the kernel can send a signal when a parent ends (prctl(2), PR_SET_PDEATHSIG), but that means the thread
that started the child, and a library is called by threads that it does not know. This process has one thread. It sees
the end of the caller, and not of one of its threads, because its parent process changes.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_S = 0.2
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WAITED_FOR = (*_ENDING, signal.SIGCHLD)


def main(caller: int, grace_s: float, command: list[str]) -> int:
    """Run the command. Returns the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    if os.getppid() != caller:
        return 130
    watcher = os.getpid()

    def before_exec() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGINT), 0, 0, 0)
        if os.getppid() != watcher:  # it died before the call above
            os._exit(130)
        for signum in _WAITED_FOR:
            signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    process = subprocess.Popen(command, preexec_fn=before_exec)  # safe: this process has one thread
    asked_at: float | None = None
    signals = 0
    while (code := process.poll()) is None:
        found = signal.sigtimedwait(_WAITED_FOR, _LOOK_EVERY_S)
        told = found is not None and found.si_signo in _ENDING
        now = time.monotonic()
        if asked_at is None and (told or os.getppid() != caller):
            asked_at = now
        if asked_at is None:
            continue
        if now > asked_at + grace_s:
            process.kill()
        elif told or signals == 0 or (signals == 1 and now > asked_at + grace_s / 2):
            signals += 1
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
