"""The shepherd: the parent of every process of a run. It outlives the runner, so that nothing else does.

`python -m chaos.supervision.shepherd UNDO_FILE OWNER [LEASE_S]`, started by the runner in a session of its own. It is a
child subreaper: every process started below it, double-forked ones too, stays its descendant. It starts and signals
processes for the runner. The runner holds a lease with it, which every line on its standard input renews. If the lease
expires (5 s) or standard input ends, the shepherd undoes the pending faults of the write-ahead file
(`chaos.supervision.undo`), kills all its descendants, and exits. If the shepherd itself is killed, the kernel kills its
children (PR_SET_PDEATHSIG).

Requests are JSON objects, one per line, on standard input. A `beat` only renews the lease:

    {"do": "beat"}
    {"id": 1, "do": "spawn", "name": "tpu-0", "kind": "replica", "argv": [...], "env": {...}, "cwd": null, "log": "..."}
    {"id": 2, "do": "signal", "name": "tpu-0", "signal": 19, "ends": false}     `ends`: an exit by it is expected
    {"id": 3, "do": "undo", "fault": "f1"}       undo one fault of the write-ahead file
    {"id": 4, "do": "status"}
    {"id": 5, "do": "shutdown"}                  undo the pending faults, kill all, exit
    {"id": 6, "do": "environment", "env": {...}}     of the commands that undo faults; never written to disk

Replies and events, one per line, on standard output. Times are unix nanoseconds:

    {"id": 1, "ok": true, ...} | {"id": 1, "error": "..."}
    {"event": "ready", "pid": 6}
    {"event": "started", "name", "kind", "incarnation", "pid", "start_time", "boot_id", "at"}
    {"event": "exited", "name", "incarnation", "pid", "status", "expected", "at"}     status: exit code, or -signal
    {"event": "leaving", "why", "undone": ["..."], "failed": ["..."], "left": [pid, ...]}

SIGKILL, SIGSTOP and SIGCONT go to the child's whole process group; other signals go to the child only. Standard library
only: the shepherd must be small and start fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

from chaos.supervision.identity import Identity, WrongProcess, descendants, identify, send_signal, state_of
from chaos.supervision.undo import undo_at_end, undo_pending
from reports.shared.errors import UserError

__all__ = ["LEASE_S", "Shepherd", "main"]

LEASE_S = 5.0
KILL_WITHIN_S = 15.0
"""If SIGKILL does not end a process in this time (blocked in the kernel, of another user), its pid is reported."""

BACKLOG_BYTES = 4 * 1024 * 1024
"""Maximum of output that the runner has not read yet; beyond it, the shepherd stops writing."""

GROUP_SIGNALS = frozenset({signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT})
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}, {value}): {os.strerror(number)}")


def _log(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk must not end the shepherd
        os.write(2, f"{time.time():.3f} shepherd: {text}\n".encode())


class _Child:
    """One incarnation of a named process. `expected`: its exit was requested."""

    def __init__(self, spec: dict[str, Any], incarnation: int, process: subprocess.Popen[bytes]) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.incarnation = incarnation
        self.process = process
        self.pid = process.pid
        self.started_at = time.time_ns()
        # It is not reaped yet, even if it has exited already, so it has an identity.
        self.identity = identify(process.pid) or Identity(process.pid, 0, "")
        self.status: int | None = None
        self.expected = False

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.spec.get("kind", ""),
            "incarnation": self.incarnation,
            **self.identity._asdict(),
            "at": self.started_at,
        }


class Shepherd:
    """The event loop: requests, exits of children, and the lease."""

    def __init__(self, undo_path: str, owner: str, lease_s: float = LEASE_S) -> None:
        self._undo_path = undo_path
        self._owner = owner
        self._lease_s = lease_s
        self._children: dict[str, _Child] = {}
        self._by_pid: dict[int, _Child] = {}
        self._environment: dict[str, str] = {}
        self._input = b""
        self._output = bytearray()
        self._output_closed = False
        self._last_input_at = time.monotonic()
        self._exit_reason = ""
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Serve until the lease ends. Returns 0, or 1 if a process could not be killed."""
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        for signum in (*ENDING_SIGNALS, signal.SIGINT, signal.SIGCHLD):
            # A handler, not SIG_IGN, which children would inherit. SIGINT (Ctrl-C) is handled by the runner.
            signal.signal(signum, self._on_signal)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        os.set_blocking(0, False)
        os.set_blocking(1, False)
        self._selector.register(0, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._send({"event": "ready", "pid": os.getpid()})
        while not self._exit_reason:
            self._poll()
        not_killed = self._shut_down()
        return 1 if not_killed else 0

    def _on_signal(self, signum: int, _frame: object) -> None:
        if signum in ENDING_SIGNALS:
            self._exit_reason = self._exit_reason or f"got {signal.Signals(signum).name}"

    def _poll(self) -> None:
        silent_s = time.monotonic() - self._last_input_at
        ready = self._selector.select(max(0.0, self._lease_s - silent_s))
        fds = {key.fd for key, _ in ready}
        if self._wake_read in fds:
            self._drain_wakeups()
        self._reap()
        if 1 in fds:
            self._flush()
        # The lease has expired only if the input is empty: a shepherd that was stopped itself must first read what
        # arrived meanwhile, because `select` may have returned nothing.
        overdue = time.monotonic() - self._last_input_at >= self._lease_s
        if 0 in fds or overdue:
            self._read()
        if overdue and time.monotonic() - self._last_input_at >= self._lease_s:
            self._exit_reason = (
                self._exit_reason or f"lease expired: no message from the runner for {self._lease_s:g} s"
            )

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    # -- messages ---------------------------------------------------------------------------------------------------
    def _read(self) -> None:
        try:
            data = os.read(0, 1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._exit_reason = self._exit_reason or "the runner has exited"
            return
        self._last_input_at = time.monotonic()
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            if line:
                self._handle(line)

    def _handle(self, line: bytes) -> None:
        try:
            request = json.loads(line)
            do, number = request["do"], request.get("id")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log(f"invalid request: {line[:200]!r}: {error}")
            return
        if do == "beat":
            return
        try:
            result = self._do(do, request)
        except (OSError, ValueError, KeyError, TypeError, UserError, subprocess.SubprocessError) as error:
            why = f"the request has no {error}" if isinstance(error, KeyError) else str(error)
            self._send({"id": number, "error": why or type(error).__name__})
        else:
            self._send({"id": number, "ok": True, **result})

    def _do(self, do: str, request: dict[str, Any]) -> dict[str, Any]:
        if do == "spawn":
            return self._spawn(request).facts()
        if do == "signal":
            return {"state": self._signal(request["name"], int(request["signal"]), bool(request.get("ends")))}
        if do == "undo":
            fault = str(request["fault"])
            results = undo_pending(self._undo_path, self._owner, only=fault, by="shepherd", **self._means())
            return {
                "undone": [str(result) for result in results if result.ok],
                "failed": [str(result) for result in results if not result.ok],
            }
        if do == "environment":
            self._environment.update(request["env"])
            return {}
        if do == "status":
            return {"processes": {c.name: {**c.facts(), "state": self._state(c)} for c in self._children.values()}}
        if do == "shutdown":
            self._exit_reason = self._exit_reason or "the run has ended"
            return {}
        raise ValueError(f"unknown request {do!r}")

    def _send(self, message: dict[str, Any]) -> None:
        if self._output_closed:
            return
        self._output += json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        try:
            while self._output:
                del self._output[: os.write(1, self._output)]
        except BlockingIOError:
            if len(self._output) <= BACKLOG_BYTES:
                self._want_to_write(True)
                return
            self._output_closed = True
        except OSError:
            self._output_closed = True  # the runner reads no more; the end of standard input or the lease ends the loop
        if self._output_closed:
            self._output.clear()
        self._want_to_write(False)

    def _want_to_write(self, wanted: bool) -> None:
        if wanted and 1 not in self._selector.get_map():
            self._selector.register(1, selectors.EVENT_WRITE)
        elif not wanted and 1 in self._selector.get_map():
            self._selector.unregister(1)

    # -- processes --------------------------------------------------------------------------------------------------
    def _spawn(self, spec: dict[str, Any]) -> _Child:
        self._reap()
        before = self._children.get(spec["name"])
        if before and before.status is None:
            raise ValueError(f"{before.name} is already running, as process {before.pid}")
        incarnation = int(spec.get("incarnation") or (before.incarnation + 1 if before else 1))
        environment = {**spec["env"], "BROWNOUT_PROCESS": spec["name"], "BROWNOUT_INCARNATION": str(incarnation)}
        log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        shepherd = os.getpid()

        def before_exec() -> None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != shepherd:  # the shepherd exited before the call above
                os._exit(1)
            for signum in (*ENDING_SIGNALS, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
                signal.signal(signum, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())

        # Blocked during the fork: a signal to the child before exec would be written to the shepherd's wake-up pipe.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDING_SIGNALS, signal.SIGINT, signal.SIGCHLD))
        try:
            process = subprocess.Popen(
                spec["argv"],
                env=environment,
                cwd=spec.get("cwd"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=True,
                process_group=0,
                preexec_fn=before_exec,
            )
            child = _Child(spec, incarnation, process)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(log)
        self._children[child.name] = self._by_pid[child.pid] = child
        self._send({"event": "started", **child.facts()})
        return child

    def _restart(self, name: str) -> str:
        if self._exit_reason:
            return "not started: the run is ending"
        self._reap()
        last = self._children.get(name)
        if last is None:
            raise ValueError(f"{name} was never started in this run")
        if last.status is None:
            return f"already running, as process {last.pid}"
        return f"started as process {self._spawn({**last.spec, 'incarnation': last.incarnation + 1}).pid}"

    def _signal(self, name: str, signum: int, ends: bool) -> str:
        self._reap()
        child = self._children.get(name)
        if child is None:
            raise ValueError(f"no process {name!r} was started")
        if child.status is not None:
            return "gone"
        child.expected = child.expected or ends
        # It is a child that is not reaped yet, so its pid and its group cannot be reused.
        os.kill(child.pid, signum)
        if signum in GROUP_SIGNALS:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signum)
        return self._state(child)

    def _state(self, child: _Child) -> str:
        return "gone" if child.status is not None else state_of(child.identity)

    def _reap(self) -> None:
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            child = self._by_pid.pop(found.si_pid, None)
            if child is not None:  # workers that it leaves would keep its port; until it is reaped, the group is its
                with contextlib.suppress(OSError):
                    os.killpg(child.pid, signal.SIGKILL)
            _, status = os.waitpid(found.si_pid, 0)
            if child is None:
                continue  # a descendant that the subreaper inherited
            child.status = os.waitstatus_to_exitcode(status)
            child.process.returncode = child.status  # so that Popen never waits for a reused pid
            self._send(
                {
                    "event": "exited",
                    "name": child.name,
                    "incarnation": child.incarnation,
                    "pid": child.pid,
                    "status": child.status,
                    "expected": child.expected,
                    "at": time.time_ns(),
                }
            )

    # -- shutdown ---------------------------------------------------------------------------------------------------
    def _shut_down(self) -> list[int]:
        _log(f"exiting: {self._exit_reason}")
        undone, failed, not_killed = undo_at_end(
            self._undo_path, self._owner, by="shepherd", kill=self._kill_all, **self._means()
        )
        for line in (*undone, *failed):
            _log(f"undo {line}")
        if not_killed:
            _log(f"could not kill {not_killed}")
        why = self._exit_reason
        self._send({"event": "leaving", "why": why, "undone": undone, "failed": failed, "left": not_killed})
        return not_killed

    def _means(self) -> dict[str, Any]:
        """By what a fault is undone."""
        token = os.environ.get("BROWNOUT_TOKEN", "")
        return {"token": token, "start": self._restart, "environment": self._environment or None}

    def _kill_all(self) -> list[int]:
        for child in self._children.values():
            child.expected = True
        deadline = time.monotonic() + KILL_WITHIN_S
        while True:
            self._reap()
            alive = descendants(os.getpid())
            if not alive:
                self._reap()
                return []
            for process in alive:
                with contextlib.suppress(WrongProcess, OSError):
                    send_signal(process, signal.SIGKILL)
            if time.monotonic() >= deadline:
                return [process.pid for process in alive]
            # The exit of a child or an inherited descendant wakes it. New forks are killed in the next round.
            self._drain_wakeups()
            self._reap()
            wakeup = selectors.DefaultSelector()
            wakeup.register(self._wake_read, selectors.EVENT_READ)
            wakeup.select(0.01)
            wakeup.close()


def main(arguments: list[str]) -> NoReturn:
    """Run as a process: UNDO_FILE OWNER [LEASE_S]."""
    if len(arguments) not in (2, 3):
        _log("usage: python -m chaos.supervision.shepherd UNDO_FILE OWNER [LEASE_S]   (the runner starts it)")
        sys.exit(2)
    lease_s = float(arguments[2]) if len(arguments) == 3 else LEASE_S
    sys.exit(Shepherd(arguments[0], arguments[1], lease_s).run())


if __name__ == "__main__":
    main(sys.argv[1:])
