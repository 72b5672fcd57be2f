"""`exec`: commands of the user's as a fault: a container stopped, a pod deleted, a rule added.

It works on any target, and only the user knows what it does: brownout runs each command, looks at its exit code, and
cannot tell which calls met the fault. A revert may run more than once, so it must be idempotent.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from chaos.faults.base import Fault
from chaos.faults.spec import FaultSpec
from chaos.faults.world import Command, CommandStage, FaultError, ReplicaView, Undo, Where, World
from reports.shared.attributes import TARGET_SYSTEM
from reports.shared.documents import Duration, Mistake

__all__ = ["Exec", "ExecFault"]

POLL_EVERY_S: Final = 0.25
"""Pause between two runs of a confirm or verify command."""
SLACK_S: Final = 2.0
"""Beyond the timeouts of the commands: to start them, and to kill them."""


def _words(given: Any) -> Any:
    if isinstance(given, str):
        remedy = f"write a list of words: [{', '.join(given.split()) or 'docker, stop, tpu-0'}]"
        raise Mistake("is one text, and brownout uses no shell", f"{remedy}; for a shell, name it: [sh, -c, {given!r}]")
    if not isinstance(given, list) or not given:
        raise Mistake("is not a command", "write a list of words: [docker, stop, tpu-0]")
    for word in given:
        if not isinstance(word, str):
            raise Mistake(f"{word!r} is not text", 'write each word as text, a number in quotes: [sleep, "5"]')
        if "\0" in word:
            raise Mistake("a word contains a NUL character", "remove it")
    if not given[0].strip():
        raise Mistake("the program has no name", "begin with the program: [docker, stop, tpu-0]")
    return given


Words = Annotated[
    list[str],
    BeforeValidator(_words),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1}),
]


class Exec(FaultSpec):
    """Commands of yours inject and revert a fault on your own system; run it with --allow-exec."""

    kind: ClassVar[str] = "exec"
    where: ClassVar[Where] = "system"
    kept_times: ClassVar[tuple[str, ...]] = ("timeout",)

    inject: Words = Field(description="the command that injects the fault: a list of words, run without a shell")
    confirm: Words | None = Field(
        default=None, description="exit code 0 says that the fault is there; repeated until then, or until timeout"
    )
    revert: Words = Field(description="the command that reverts it; it may run more than once, also after no injection")
    verify: Words | None = Field(
        default=None, description="exit code 0 says that all is as before; repeated until then, or until timeout"
    )
    timeout: Duration = Field(default=10.0, ge=0.1, le=600, description="how long each command may take, as 10s")
    env: list[str] = Field(
        default=[], description="variables that the commands get although they are proxies, OTEL_* or BROWNOUT_*"
    )

    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        return [TARGET_SYSTEM]

    def params(self) -> dict[str, Any]:
        commands: dict[str, Any] = {stage: list(words) for stage, words in self.commands().items()}
        return {**commands, "timeout_s": self.timeout, **({"env": list(self.env)} if self.env else {})}

    def commands(self) -> dict[CommandStage, tuple[str, ...]]:
        """The commands that are given, in the order in which they run."""
        stages: tuple[CommandStage, ...] = ("inject", "confirm", "revert", "verify")
        given = {stage: getattr(self, stage) for stage in stages}
        return {stage: tuple(words) for stage, words in given.items() if words is not None}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return ExecFault(fault_id, self.kind, targets, self)


class ExecFault(Fault):
    """Confirmed and verified by commands of the user's; without them, by the exit code of `inject` and `revert`."""

    where: ClassVar[Where] = "system"
    ends_with_targets: ClassVar[bool] = False

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str], spec: Exec) -> None:
        super().__init__(fault_id, kind, targets)
        self._spec = spec
        self._commands = spec.commands()
        self._last = ""
        """What the last confirm or verify command said."""

    def undo(self, world: World) -> list[Undo]:
        return [
            {
                "do": "exec",
                "argv": list(self._spec.revert),
                "cwd": world.commands_from,
                "timeout_s": self._spec.timeout,
                "env": list(self._spec.env),
            }
        ]

    async def inject_one(self, world: World, name: str) -> None:
        await self._run(world, "inject")

    async def confirm_one(self, world: World, name: str) -> bool:
        return await self._holds(world, "confirm")

    async def revert_one(self, world: World, name: str) -> None:
        await self._run(world, "revert")

    async def verify_one(self, world: World, name: str) -> bool:
        return await self._holds(world, "verify")

    @property
    def confirm_within_s(self) -> float:
        return self._spec.timeout

    @property
    def verify_within_s(self) -> float:
        return self._spec.timeout

    @property
    def last_revert_within_s(self) -> float:
        return self._spec.timeout * (2 if "verify" in self._commands else 1) + SLACK_S

    @property
    def confirmed_by(self) -> str:
        return "" if "confirm" in self._commands else "the exit code of inject: there is no confirm command"

    async def confirm(self, world: World) -> None:
        with self._said():
            await super().confirm(world)

    async def verify(self, world: World) -> None:
        with self._said():
            await super().verify(world)

    async def _run(self, world: World, stage: CommandStage) -> None:
        result = await world.run_command(self.id, stage, self._command(stage))
        if not result.ok:
            raise FaultError(f"{stage}: {shlex.join(self._commands[stage])}: {result.why}")

    async def _holds(self, world: World, stage: CommandStage) -> bool:
        if stage not in self._commands:
            return True
        result = await world.run_command(self.id, stage, self._command(stage))
        if not result.ok:
            self._last = f"{stage}: {shlex.join(self._commands[stage])}: {result.why}"
            await world.sleep(POLL_EVERY_S)
        return result.ok

    def _command(self, stage: CommandStage) -> Command:
        return Command(self._commands[stage], self._spec.timeout, tuple(self._spec.env))

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Adds to a `FaultError` what the last command said."""
        self._last = ""
        try:
            yield
        except FaultError as error:
            raise FaultError(f"{error}; {self._last}" if self._last else str(error)) from error
