"""Processes that end with the benchmark that started them, also if that is killed by SIGKILL."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from brownout.children import python_words

__all__ = ["tied"]

_LAUNCH = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
parent, signum, *command = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(int(signum)), 0, 0, 0) != 0:
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
if os.getppid() != int(parent):  # the benchmark ended before the call above
    sys.exit("the benchmark has ended")
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(command[0], command)
"""


def tied(command: Sequence[str], signum: signal.Signals) -> list[str]:
    """The command line that runs `command` (an absolute path first) as a child that gets `signum` if its parent dies.

    In it, SIGINT has its default action, also where the benchmark ignores it, as it does in the background of a shell.
    The kernel sends `signum` when the *thread* that started the child ends (prctl(2), PR_SET_PDEATHSIG): that thread
    must wait for the child. The setting is made in the child, because a `preexec_fn` is unsafe beside other threads.
    """
    return python_words("-I", "-S", "-c", _LAUNCH, str(os.getpid()), str(int(signum)), *command)
