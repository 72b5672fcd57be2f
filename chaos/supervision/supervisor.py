"""Starts, signals and stops the processes of a run, through a shepherd; arms and disarms faults.

    async with Supervisor(run_dir=..., owner=..., token=..., on_exit=...) as supervisor:
        child = await supervisor.spawn(ChildSpec("tpu-0", argv, child_environment({...}), log, "replica"))
        await supervisor.kill("tpu-0")

At the end of the block every process is stopped: SIGTERM (replicas: SIGINT) kind by kind, SIGKILL after the grace
period. Then the shepherd kills all other descendants. If the shepherd exits early, every wait raises `ShepherdGone`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.supervision.identity import Identity, state_of
from chaos.supervision.link import RUN_MARK, Refused, ShepherdGone, ShepherdLink
from chaos.supervision.shepherd import LEASE_S
from chaos.supervision.undo import UndoFile
from reports.shared.errors import TargetFailed

__all__ = ["STOP_ORDER", "Child", "ChildSpec", "ShepherdGone", "Supervisor", "child_environment"]

STOP_ORDER = ("load", "gateway", "adapter", "proxy", "replica")
"""The order in which kinds are stopped at the end: clients before their servers."""

ENDS_AT_ONCE = {"replica": signal.SIGINT}
"""Kinds that drain on SIGTERM. At the end of a run they need not drain, so they get this signal instead."""

GRACE_S = 3.0

SIGTERM = signal.SIGTERM

_OUR_VARIABLES = frozenset(
    f"BROWNOUT_{name}" for name in ("PROCESS", "INCARNATION", "TOKEN", "COLLECTOR", "CONFIG", "RUN")
)


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start a process. `env`: its whole environment. Standard output and error are appended to `log`."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    kind: str
    cwd: Path | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """One incarnation of a process. `incarnation`: its number of starts, from 1. `started_at`: unix nanoseconds."""

    name: str
    kind: str
    incarnation: int
    pid: int
    started_at: int
    identity: Identity


@dataclass(slots=True)
class _Incarnation:
    child: Child
    exited: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child: this process's, without proxies, OpenTelemetry settings and our own variables.

    With an inherited proxy or sampler, the spans of the child would be lost.
    """

    def foreign(name: str) -> bool:
        upper = name.upper()
        return upper.startswith("OTEL_") or upper.endswith("_PROXY") or name in _OUR_VARIABLES

    return {**{name: value for name, value in os.environ.items() if not foreign(name)}, **extra}


class Supervisor:
    """An async context manager: a shepherd runs inside the block.

    `owner` names the run in its write-ahead file (`undo.jsonl` in `run_dir`); `token` is sent with undo requests.
    `on_exit(child, status, expected)` is called for every exit of a process; `status`: exit code or -signal;
    `expected`: the exit was requested. `on_gone(error)` is called once if the shepherd exits early.
    """

    def __init__(
        self,
        *,
        run_dir: Path,
        owner: str,
        token: str = "",
        on_exit: Callable[[Child, int, bool], None] | None = None,
        on_gone: Callable[[ShepherdGone], None] | None = None,
        stop_order: Sequence[str] = STOP_ORDER,
        grace_s: float = GRACE_S,
        lease_s: float = LEASE_S,
    ) -> None:
        undo_path = run_dir / "undo.jsonl"
        self.undo_file = UndoFile(undo_path, owner)
        self._link = ShepherdLink(
            run_dir=run_dir,
            undo_path=undo_path,
            owner=owner,
            token=token,
            lease_s=lease_s,
            on_event=self._on_event,
            on_gone=self._on_shepherd_gone,
        )
        self._on_exit = on_exit
        self._on_gone = on_gone
        self._stop_order = tuple(stop_order)
        self._grace_s = grace_s
        self._processes: dict[str, _Incarnation] = {}

    @property
    def shepherd_pid(self) -> int:
        """The pid of the shepherd."""
        return self._link.pid

    @property
    def gone(self) -> ShepherdGone | None:
        """Why the shepherd exited early. None if it did not."""
        return self._link.gone

    @property
    def failed_undos(self) -> list[str]:
        """What could not be undone at the end, as messages. The user must see them."""
        return self._link.failed_undos

    async def __aenter__(self) -> Supervisor:
        await self._link.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise
        left = f"could not kill the processes {self._link.not_killed}" if self._link.not_killed else ""
        if kind is None and self.gone is not None:
            raise ShepherdGone(f"{self.gone}; {left}") if left else self.gone
        if kind is None and left:
            raise TargetFailed(f"{left}; see {self._link.log}")

    @property
    def shepherd_stopped(self) -> bool:
        """Whether somebody has stopped the shepherd (SIGSTOP)."""
        return self._link.stopped

    def resume_shepherd(self) -> None:
        """Let a stopped shepherd continue."""
        self._link.resume()

    async def swept(self) -> None:
        """Wait until the processes were killed, if the shepherd is gone."""
        if self.gone is not None:
            await self._link.swept.wait()

    # -- processes --------------------------------------------------------------------------------------------------
    async def spawn(self, spec: ChildSpec) -> Child:
        """Start a process. Raises TargetFailed if it cannot be started or one of its name is already running."""
        try:
            facts = await self._link.request(
                "spawn",
                name=spec.name,
                kind=spec.kind,
                argv=[str(word) for word in spec.argv],
                env={**spec.env, RUN_MARK: self._link.mark},
                cwd=str(spec.cwd) if spec.cwd else None,
                log=str(spec.log),
            )
        except Refused as error:
            command = " ".join(map(str, spec.argv[:3]))
            raise TargetFailed(f"{spec.name} cannot be started ({command}): {error}") from None
        return _child(facts)

    def child(self, name: str) -> Child | None:
        """The last incarnation of a process, running or not. None if it was never started."""
        process = self._processes.get(name)
        return process.child if process else None

    def state(self, name: str) -> str:
        """`running`, `stopped` (SIGSTOP) or `gone` (exited, a zombie, or never started), according to the kernel."""
        process = self._processes.get(name)
        if process is None:
            return "gone"
        reaped = process.exited.done() and process.exited.exception() is None
        return "gone" if reaped else state_of(process.child.identity)

    async def signal(self, name: str, signum: int) -> None:
        """Signal a process, which may have exited already. SIGKILL, SIGSTOP and SIGCONT go to its process group.

        After a signal other than SIGSTOP and SIGCONT its exit is expected. Raises LookupError for an unknown name.
        """
        self._process(name)
        ends = signum not in (signal.SIGSTOP, signal.SIGCONT)
        await self._link.request("signal", name=name, signal=int(signum), ends=ends)

    async def kill(self, name: str) -> int:
        """Send SIGKILL. Returns the status (exit code or -signal) when the process is reaped."""
        await self.signal(name, signal.SIGKILL)
        return await self.wait(name)

    async def stop(self, name: str, grace_s: float, signum: int = SIGTERM) -> int:
        """Send SIGTERM (or `signum`), and SIGKILL after `grace_s` seconds. Returns the status when it is reaped."""
        await self.signal(name, signum)
        try:
            async with asyncio.timeout(grace_s):
                return await self.wait(name)
        except TimeoutError:
            return await self.kill(name)

    async def wait(self, name: str) -> int:
        """Wait until the current incarnation of a process is reaped. Returns its status: exit code or -signal."""
        return await asyncio.shield(self._process(name).exited)

    async def stop_all(self, grace_s: float | None = None) -> None:
        """Stop every process, kind by kind in the stop order; other kinds come last. Resumes frozen processes.

        `grace_s`: how long the processes of one kind may take before SIGKILL, in seconds. A shepherd that somebody
        stopped is made to continue first.
        """
        self.resume_shepherd()
        alive = [process.child for process in self._processes.values() if not process.exited.done()]
        order = [*self._stop_order, *sorted({child.kind for child in alive} - set(self._stop_order))]
        for kind in order:
            names = [child.name for child in alive if child.kind == kind]
            await asyncio.gather(*(self._stop_also_frozen(name, grace_s or self._grace_s) for name in names))

    def end_now(self) -> None:
        """Let the shepherd kill every process now, without notice. Waits of this object end when they are reaped."""
        self._link.leave()

    async def _stop_also_frozen(self, name: str, grace_s: float) -> None:
        signum = ENDS_AT_ONCE.get(self._process(name).child.kind, signal.SIGTERM)
        stopping = asyncio.ensure_future(self.stop(name, grace_s, signum))
        if self.state(name) == "stopped":
            await self.signal(name, signal.SIGCONT)
        await stopping

    # -- the write-ahead file ---------------------------------------------------------------------------------------
    async def arm(self, fault_id: str, undo: Sequence[Mapping[str, object]]) -> None:
        """Write to disk how to undo a fault, before it is injected.

        A `signal` or `request` record that has only the name of a process gets its identity. Raises UndoNotWritten if
        the record cannot be written (the fault must not be injected), ValueError for an invalid record.
        """
        records = [self._complete(record) for record in undo]
        await asyncio.to_thread(self.undo_file.arm, fault_id, records)

    async def disarm(self, fault_id: str) -> None:
        """Write that a fault is undone. Raises UndoNotWritten, which is harmless: it would be undone twice."""
        await asyncio.to_thread(self.undo_file.disarm, fault_id)

    async def undo(self, fault_id: str) -> list[str]:
        """Let the shepherd undo one fault of the file. Returns what could not be undone, as messages."""
        reply = await self._link.request("undo", fault=fault_id)
        return [str(line) for line in reply["failed"]]

    def _complete(self, record: Mapping[str, object]) -> dict[str, object]:
        name = str(record.get("process"))
        unknown = record.get("do") == "request" and name not in self._processes
        if record.get("do") not in ("signal", "request") or "pid" in record or unknown:
            return dict(record)
        return {**record, **self._process(name).child.identity._asdict()}

    # -- events of the shepherd -------------------------------------------------------------------------------------
    def _on_event(self, message: dict[str, Any]) -> None:
        if message["event"] == "started":
            self._processes[message["name"]] = _Incarnation(_child(message))
        elif message["event"] == "exited":
            process = self._processes[message["name"]]
            process.exited.set_result(message["status"])
            if self._on_exit is not None:
                self._isolated(self._on_exit, process.child, message["status"], message["expected"])

    def _on_shepherd_gone(self, error: ShepherdGone) -> None:
        for process in self._processes.values():
            if not process.exited.done():
                process.exited.set_exception(error)
                process.exited.exception()  # marks it as retrieved: asyncio must not warn if no task waits for it
        if self._on_gone is not None:
            self._isolated(self._on_gone, error)

    def _isolated(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception as error:
            context = {"message": "a callback of the supervisor raised an exception", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _close(self) -> None:
        try:
            with contextlib.suppress(ShepherdGone, Refused):
                await self.stop_all()
        finally:
            await self._link.close()

    def _process(self, name: str) -> _Incarnation:
        try:
            return self._processes[name]
        except KeyError:
            known = ", ".join(self._processes) or "none"
            raise LookupError(f"no process {name!r} was started; started were: {known}") from None


def _child(facts: Mapping[str, Any]) -> Child:
    identity = Identity.from_record(dict(facts))
    return Child(facts["name"], facts["kind"], facts["incarnation"], facts["pid"], facts["at"], identity)
