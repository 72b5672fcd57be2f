"""The runner's end of the shepherd: starts, signals and stops the processes of a run, and keeps the lease.

    async with Supervisor(run_dir=..., owner=..., token=..., on_exit=...) as supervisor:
        child = await supervisor.spawn(ChildSpec("tpu-0", argv, child_environment({...}), log, "replica"))
        await supervisor.kill("tpu-0")

On leaving the block everything is stopped: SIGTERM (replicas: SIGINT) kind by kind, SIGKILL after the grace, and then
the shepherd kills whatever else was started below it. A shepherd that is gone before that ends every wait with
`ShepherdGone`.
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

STOP_ORDER = ("load", "gateway", "proxy", "replica")
"""Kinds in the order they are stopped at the end: callers before those they call."""

ENDS_AT_ONCE = {"replica": signal.SIGINT}
"""Kinds that take SIGTERM for a notice and drain: at the end of a run there is nothing left to drain for."""

GRACE_S = 3.0

SIGTERM = signal.SIGTERM

_OUR_VARIABLES = frozenset(
    f"BROWNOUT_{name}" for name in ("PROCESS", "INCARNATION", "TOKEN", "COLLECTOR", "CONFIG", "RUN")
)


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start a process. `env` is its whole environment; standard output and error are appended to `log`."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    kind: str
    cwd: Path | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """One incarnation of a process. `incarnation` counts its starts from 1; `started_at` is in unix nanoseconds."""

    name: str
    kind: str
    incarnation: int
    pid: int
    started_at: int
    identity: Identity


@dataclass(slots=True)
class _Life:
    child: Child
    exited: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child: without proxies, settings of OpenTelemetry and what names another child.

    An inherited proxy or sampler would lose every span of the child.
    """

    def foreign(name: str) -> bool:
        upper = name.upper()
        return upper.startswith("OTEL_") or upper.endswith("_PROXY") or name in _OUR_VARIABLES

    return {**{name: value for name, value in os.environ.items() if not foreign(name)}, **extra}


class Supervisor:
    """An asynchronous context: inside it a shepherd lives.

    `owner` names the run in its write-ahead file (`undo.jsonl` in `run_dir`); `token` goes with undo requests.
    `on_exit(child, status, expected)` is called for every process that ended: exit code or -signal, and whether we
    asked for it. `on_gone(error)` is called once if the shepherd is gone before its time.
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
            on_event=self._hear,
            on_gone=self._lost,
        )
        self._on_exit = on_exit
        self._on_gone = on_gone
        self._stop_order = tuple(stop_order)
        self._grace_s = grace_s
        self._lives: dict[str, _Life] = {}

    @property
    def shepherd_pid(self) -> int:
        """The shepherd's process."""
        return self._link.pid

    @property
    def gone(self) -> ShepherdGone | None:
        """Why the shepherd is gone before its time; None while it is not."""
        return self._link.gone

    @property
    def failed_undos(self) -> list[str]:
        """In words, what could not be undone at the end: to be told loudly."""
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
        if kind is None and self.gone is not None:
            raise self.gone
        if kind is None and self._link.left:
            raise TargetFailed(f"processes {self._link.left} of this run could not be killed; see {self._link.log}")

    # -- processes --------------------------------------------------------------------------------------------------
    async def spawn(self, spec: ChildSpec) -> Child:
        """Start a process. Raises TargetFailed where it cannot be, or where one of its name runs already."""
        try:
            facts = await self._link.ask(
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
        """The last incarnation of a process, alive or not; None where it was never started."""
        life = self._lives.get(name)
        return life.child if life else None

    def state(self, name: str) -> str:
        """`running`, `stopped` (SIGSTOP) or `gone` (also a zombie, and what was never started), asked of the kernel."""
        life = self._lives.get(name)
        return "gone" if life is None or life.exited.done() else state_of(life.child.identity)

    async def signal(self, name: str, signum: int) -> None:
        """Signal a process that may be gone already; SIGKILL, SIGSTOP and SIGCONT reach its process group.

        A death by a signal other than SIGSTOP and SIGCONT counts as expected. Raises LookupError for an unknown name.
        """
        self._life(name)
        ends = signum not in (signal.SIGSTOP, signal.SIGCONT)
        await self._link.ask("signal", name=name, signal=int(signum), ends=ends)

    async def kill(self, name: str) -> int:
        """SIGKILL; answers the status (exit code or -signal) once it is reaped."""
        await self.signal(name, signal.SIGKILL)
        return await self.wait(name)

    async def stop(self, name: str, grace_s: float, signum: int = SIGTERM) -> int:
        """SIGTERM (or `signum`), and SIGKILL once `grace_s` is over; answers the status once it is reaped."""
        await self.signal(name, signum)
        try:
            return await asyncio.wait_for(self.wait(name), grace_s)
        except TimeoutError:
            return await self.kill(name)

    async def wait(self, name: str) -> int:
        """The status of a process's present incarnation once it is reaped: exit code, or -signal."""
        return await asyncio.shield(self._life(name).exited)

    async def stop_all(self) -> None:
        """Stop every process, kind by kind in the stop order; kinds not named there come last. Thaws what is frozen."""
        alive = [life.child for life in self._lives.values() if not life.exited.done()]
        order = [*self._stop_order, *sorted({child.kind for child in alive} - set(self._stop_order))]
        for kind in order:
            await asyncio.gather(*(self._stop_thawed(child.name) for child in alive if child.kind == kind))

    async def _stop_thawed(self, name: str) -> None:
        signum = ENDS_AT_ONCE.get(self._life(name).child.kind, signal.SIGTERM)
        stopping = asyncio.ensure_future(self.stop(name, self._grace_s, signum))
        if self.state(name) == "stopped":
            await self.signal(name, signal.SIGCONT)
        await stopping

    # -- the write-ahead file ---------------------------------------------------------------------------------------
    async def arm(self, fault_id: str, undo: Sequence[Mapping[str, object]]) -> None:
        """Put on disk how to undo a fault, before it is injected.

        A `signal` record that names only the process is completed with who that is now. Raises UndoNotWritten where it
        cannot be written (no injection then), ValueError for a record that is none.
        """
        records = [self._complete(record) for record in undo]
        await asyncio.to_thread(self.undo_file.arm, fault_id, records)

    async def disarm(self, fault_id: str) -> None:
        """Write down that a fault is undone. Raises UndoNotWritten, which is harmless: undoing twice is."""
        await asyncio.to_thread(self.undo_file.disarm, fault_id)

    async def undo(self, fault_id: str) -> list[str]:
        """Let the shepherd do what the file says of one fault; answers what could not be done, in words."""
        answer = await self._link.ask("undo", fault=fault_id)
        return [str(line) for line in answer["failed"]]

    def _complete(self, record: Mapping[str, object]) -> dict[str, object]:
        if record.get("do") != "signal" or "pid" in record:
            return dict(record)
        return {**record, **self._life(str(record.get("process"))).child.identity._asdict()}

    # -- what the shepherd tells ------------------------------------------------------------------------------------
    def _hear(self, message: dict[str, Any]) -> None:
        if message["event"] == "started":
            self._lives[message["name"]] = _Life(_child(message))
        elif message["event"] == "exited":
            life = self._lives[message["name"]]
            life.exited.set_result(message["status"])
            if self._on_exit is not None:
                self._isolated(self._on_exit, life.child, message["status"], message["expected"])

    def _lost(self, error: ShepherdGone) -> None:
        for life in self._lives.values():
            if not life.exited.done():
                life.exited.set_exception(error)
                life.exited.exception()  # whoever waits hears of it; that nobody does is no mistake
        if self._on_gone is not None:
            self._isolated(self._on_gone, error)

    def _isolated(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception as error:
            context = {"message": "a callback of the supervisor failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _close(self) -> None:
        try:
            with contextlib.suppress(ShepherdGone, Refused):
                await self.stop_all()
        finally:
            await self._link.close()

    def _life(self, name: str) -> _Life:
        try:
            return self._lives[name]
        except KeyError:
            known = ", ".join(self._lives) or "none"
            raise LookupError(f"no process {name!r} was started; there are: {known}") from None


def _child(facts: Mapping[str, Any]) -> Child:
    identity = Identity.from_record(dict(facts))
    return Child(facts["name"], facts["kind"], facts["incarnation"], facts["pid"], facts["at"], identity)
