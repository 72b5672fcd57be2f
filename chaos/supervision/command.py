"""Runs one command of the user's, in a process of its own that watches over it.

`python -I -S -c BOOT ROOT REQUEST`: REQUEST is a JSON object with `argv`, `cwd`, `timeout_s`, `log` ("": no log), and
`watched` (its standard input is a pipe, whose end tells it that nobody wants the command any more). It starts the
command in a session of its own, without a shell, with standard input from /dev/null and its own environment. It is a
child subreaper: at the timeout, after SIGTERM, or when nobody wants the command any more, it kills every process that
was started below it, also in other sessions. It prints one line: `{"exit": status or null, "why": "", "tail": "..."}`.

What the command leaves running on success goes on. Its output goes to the log, of which `LOG_BYTES` are kept while it
runs. Standard library only: the shepherd imports this module.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from brownout.children import python_words
from brownout.search_path import users_environment
from chaos.supervision.identity import WrongProcess, descendants, send_signal
from reports.shared.secrets import masked

__all__ = [
    "ALLOW_EXEC",
    "GRACE_S",
    "LOG_BYTES",
    "check_command",
    "command_environment",
    "command_text",
    "main",
    "outcome",
    "resolved",
    "run_command",
    "watcher_argv",
]

ALLOW_EXEC: Final = "--allow-exec"
"""The option that lets `run` and `heal` run commands of the user's."""
LOG_BYTES: Final = 1024 * 1024
"""Maximum size of a log while a command writes to it."""
GRACE_S: Final = 8.0
"""Beyond its timeout: how long a command's watcher may take to start, to kill it, and to end, on a busy machine."""
_LOOK_EVERY_S: Final = 0.01
_KILL_WITHIN_S: Final = 5.0
_TAIL_BYTES: Final = 2048
_TAIL_LINES: Final = 5
_TAIL_CHARACTERS: Final = 600
_NOT_STARTED: Final = "not started: "
_CUT: Final = b"\n[the output was longer than 1 MiB: the rest was cut off]\n"
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_BOOT: Final = "import sys; sys.path.insert(0, sys.argv[1]); from chaos.supervision.command import main; main()"
_OF_THE_WATCHER: Final = ("BROWNOUT_PROCESS", "BROWNOUT_INCARNATION")
"""Variables that the shepherd adds. A third one stays, by which every process of a run is found and killed."""
_ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


# -- what the callers use ---------------------------------------------------------------------------------------------
def check_command(record: Mapping[str, object]) -> None:
    """Check a record with `argv`, `cwd`, `timeout_s`, `env` and perhaps `log`. Raises ValueError."""
    argv, names, limit = record.get("argv"), record.get("env", []), record.get("timeout_s")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        raise ValueError(f"{argv!r} is no command: it must be a list of words")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{names!r} is no list of names of variables")
    if not isinstance(limit, (int, float)) or isinstance(limit, bool) or not 0 < limit <= 3600:
        raise ValueError(f"{limit!r} is no timeout of a command")
    if not os.path.isabs(str(record.get("cwd"))) or not isinstance(record.get("log", ""), str):
        raise ValueError("a command needs the absolute path of its folder")


def command_environment(environment: Mapping[str, str], names: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a command: without proxies, OpenTelemetry settings and variables of brownout.

    PYTHONPATH is as the user had set it. `names`: variables that it gets all the same.
    """

    def foreign(name: str) -> bool:
        upper = name.upper()
        return upper.startswith(("OTEL_", "BROWNOUT_")) or upper.endswith("_PROXY")

    kept = users_environment(environment)
    return {name: value for name, value in kept.items() if name in names or not foreign(name)}


def resolved(argv: Sequence[str], cwd: str) -> list[str]:
    """The words, with the path of a program that is relative to `cwd` made absolute; one without a slash is in PATH."""
    program, *rest = argv
    return [os.path.normpath(os.path.join(cwd, program)) if "/" in program else program, *rest]


def command_text(record: Mapping[str, Any]) -> str:
    """The command of a record as a shell takes it."""
    return f"(cd {shlex.quote(record['cwd'])} && {shlex.join(record['argv'])})"


def watcher_argv(record: Mapping[str, Any], *, watched: bool = False) -> list[str]:
    """The command that runs and watches the command of a record."""
    keys = ("cwd", "timeout_s", "log")
    request = {"argv": resolved(record["argv"], record["cwd"]), **{key: record.get(key, "") for key in keys}}
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    request["watched"] = watched
    return python_words("-I", "-S", "-c", _BOOT, root, json.dumps(request))


def outcome(line: bytes | str, timeout_s: float) -> tuple[bool, str]:
    """Whether a command succeeded, and else what happened, by what its watcher printed."""
    try:
        said = json.loads(line)
        status, why, tail = said["exit"], str(said["why"]), str(said["tail"])
    except (ValueError, KeyError, TypeError):
        return False, f"what became of it is not known: its watcher ended and reported nothing (limit {timeout_s:g} s)"
    if status == 0:
        return True, ""
    if not why:
        why = f"killed by signal {-status}" if status < 0 else f"exit code {status}"
    silent = "" if why.startswith(_NOT_STARTED) else "; it printed nothing"
    return False, why + (f"; its output ends: {tail}" if tail else silent)


def run_command(record: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[bool, str]:
    """Run the command of a record to its end, blocking. Returns whether it succeeded, and else what happened."""
    check_command(record)
    watcher = subprocess.Popen(
        watcher_argv(record),
        env=command_environment(environment, record.get("env", ())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        line, _ = watcher.communicate(timeout=record["timeout_s"] + GRACE_S)
    except subprocess.TimeoutExpired:
        watcher.kill()
        line, _ = watcher.communicate()
    return outcome(line, record["timeout_s"])


# -- the watcher ------------------------------------------------------------------------------------------------------
class _Log:
    """The output of the command. `cut`: keep its size below the limit; the last lines are kept in `tail`."""

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self.descriptor = os.open(path or os.devnull, flags, 0o600)
        except OSError:  # a folder that was removed: the command must run all the same
            self.descriptor = os.open(os.devnull, flags)
        self._from = os.fstat(self.descriptor).st_size
        self._tail = b""
        self._was_cut = False

    def cut(self) -> None:
        size = os.fstat(self.descriptor).st_size
        if size <= LOG_BYTES:
            return
        self._tail = self._last(size)
        self._was_cut = True
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, LOG_BYTES)
        self._from = min(self._from, LOG_BYTES)

    def end(self) -> str:
        """The last lines. Says in the log where output was cut off."""
        self.cut()
        size = os.fstat(self.descriptor).st_size
        last = self._last(size) if size > self._from and not self._was_cut else self._tail
        if self._was_cut:
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, LOG_BYTES - len(_CUT))
                os.write(self.descriptor, _CUT)
        return _readable(last)

    def _last(self, size: int) -> bytes:
        begin = max(self._from, size - _TAIL_BYTES)
        try:
            return os.pread(self.descriptor, min(size - begin, _TAIL_BYTES), begin)
        except OSError:
            return b""


def _readable(output: bytes) -> str:
    """The last lines as one line of text, without control characters and with masked keys: it goes into messages."""
    text = re.sub(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]", "\ufffd", output.decode(errors="replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
    return masked(" | ".join(lines))[-_TAIL_CHARACTERS:]


def _before_exec() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    for signum in (*_ENDING, signal.SIGPIPE, signal.SIGCHLD, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _kill_all() -> list[int]:
    """Kill every process below this one. Returns the pids of those that are left."""
    deadline = time.monotonic() + _KILL_WITHIN_S
    while (alive := descendants(os.getpid())) and time.monotonic() < deadline:
        for one in alive:
            with contextlib.suppress(WrongProcess, OSError):
                send_signal(one, signal.SIGKILL)
        time.sleep(0.002)
    return [one.pid for one in alive]


def _not_started(error: OSError, argv: Sequence[str], cwd: str) -> str:
    if not os.path.isdir(cwd):
        return f"{_NOT_STARTED}its folder {cwd} is not there"
    if error.errno == errno.ENOENT:
        return _NOT_STARTED + (f"{argv[0]} is not there" if "/" in argv[0] else f"no {argv[0]} in PATH")
    if error.errno in (errno.EACCES, errno.ENOEXEC):
        return f"{_NOT_STARTED}{argv[0]} is not executable ({error.strerror})"
    return f"{_NOT_STARTED}{error.strerror or error}"


def _watch(request: Mapping[str, Any]) -> dict[str, Any]:
    argv, cwd, log = request["argv"], request["cwd"], _Log(request["log"])
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={name: value for name, value in os.environ.items() if name not in _OF_THE_WATCHER},
            stdin=subprocess.DEVNULL,
            stdout=log.descriptor,
            stderr=log.descriptor,
            start_new_session=True,
            preexec_fn=_before_exec,
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        why = _not_started(error, argv, cwd) if isinstance(error, OSError) else f"{_NOT_STARTED}{error}"
        return {"exit": None, "why": why, "tail": ""}
    deadline = time.monotonic() + request["timeout_s"]
    why = ""
    while process.poll() is None and not why:
        log.cut()
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            why = f"did not end within {request['timeout_s']:g} s, and was killed"
        elif request["watched"] and select.select([0], [], [], 0)[0]:
            why = "the run did not need it any more, and killed it"
        else:
            got = signal.sigtimedwait((*_ENDING, signal.SIGCHLD), min(_LOOK_EVERY_S, left_s))
            if got is not None and got.si_signo in _ENDING:
                why = "the run did not need it any more, and killed it"
    if why and (left := _kill_all()):
        why += f"; these of its processes could not be killed: {', '.join(map(str, left))}"
    process.poll()
    return {"exit": None if why else process.returncode, "why": why, "tail": log.end()}


def main() -> NoReturn:
    """Run as a process: ROOT REQUEST."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_ENDING, signal.SIGCHLD))
    said = _watch(json.loads(sys.argv[2]))
    os.write(1, json.dumps(said).encode() + b"\n")
    os._exit(0 if said["exit"] == 0 else 1)
