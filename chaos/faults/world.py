"""What a fault may do to the target under test: the `World`.

A fault uses the target only through this protocol. `chaos.runner.live_world` implements it for a real run,
`chaos.testing` in memory. The protocol has one part for each place where a fault can act:

    process   the replicas' processes: kill, freeze, terminate, start
    replica   the replicas' control ports: behaviours inside a replica
    gateway   the gateway's control port: behaviours inside our gateway
    load      the load generators: additional or changed demand
    system    the user's own system: commands of the user's

Not every target has all of them. A user's endpoint has only the load and the system; a third-party gateway in front of
our replicas has no gateway control port. A fault's spec names its place (`FaultSpec.where`), a world names those
that it offers (`World.offers`), and `refusal` is the one rule that compares the two.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

from loadprofiles.demand import Order
from reports.shared.errors import BrownoutError
from reports.shared.fault_traits import Where

__all__ = [
    "EVERYWHERE",
    "NEEDS",
    "Command",
    "CommandResult",
    "CommandStage",
    "ControlPorts",
    "DemandState",
    "FaultError",
    "LoadGenerators",
    "ReplicaProcesses",
    "ReplicaView",
    "SystemCommands",
    "Undo",
    "UndoLog",
    "Unreachable",
    "Where",
    "World",
    "offers_of",
    "refusal",
]

NEEDS: Final[dict[Where, str]] = {
    "process": "replicas whose processes brownout starts",
    "replica": "replicas with a control port of brownout",
    "gateway": "the reference gateway of brownout",
    "load": "the load generators",
    "system": "a system on which commands can be run",
}
"""What the target must have for a fault that acts there, in words for a message."""

EVERYWHERE: Final = frozenset(NEEDS)
"""What the embedded stack offers."""

Undo: TypeAlias = Mapping[str, object]
"""One record of the write-ahead file; `chaos.supervision.undo` lists the kinds. Applying it twice is harmless."""


class FaultError(BrownoutError):
    """A fault that could not be injected, confirmed or reverted."""


class Unreachable(BrownoutError):
    """A replica whose control port does not respond: it is gone, frozen, or too slow."""


class ReplicaView(NamedTuple):
    """One replica as a fault sees it."""

    name: str
    pool: str
    cloud: str


class DemandState(NamedTuple):
    """Ordered demand as the load generators report it.

    `anywhere`: active in at least one of them; `everywhere`: in all. `hits`: sessions added and calls changed so far.
    """

    anywhere: bool
    everywhere: bool
    hits: int


CommandStage: TypeAlias = Literal["inject", "confirm", "revert", "verify"]
"""What a command of the user's does in the life of a fault."""


class Command(NamedTuple):
    """A command of the user's. `timeout_s`: it is killed after this time. `env`: variables that it gets although their
    names are those of proxies, OpenTelemetry or brownout.
    """

    argv: tuple[str, ...]
    timeout_s: float
    env: tuple[str, ...] = ()


class CommandResult(NamedTuple):
    """How a command ended. `ok`: with exit code 0, in time. `why`: what happened else, and the end of its output."""

    ok: bool
    why: str = ""


def offers_of(*, own_replicas: bool, own_gateway: bool) -> frozenset[Where]:
    """What a target offers: with replicas of ours or not, with the reference gateway or not.

    It always has load, and a system on which the user's commands run.
    """
    replicas: frozenset[Where] = frozenset(("process", "replica")) if own_replicas else frozenset()
    gateway: frozenset[Where] = frozenset(("gateway",)) if own_gateway else frozenset()
    return replicas | gateway | {"load", "system"}


def refusal(where: Where, offers: frozenset[Where]) -> str | None:
    """Why a target with `offers` refuses a fault that acts at `where`; None: it accepts it."""
    return None if where in offers else f"needs {NEEDS[where]}, and this target has none"


class ReplicaProcesses(Protocol):
    """The replicas' processes."""

    async def kill(self, name: str) -> None:
        """SIGKILL; returns when the process is reaped."""

    async def freeze(self, name: str) -> None:
        """SIGSTOP."""

    async def thaw(self, name: str) -> None:
        """SIGCONT."""

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        """Start a replica's next process, on its old ports, once the last one is gone; a running one is left alone.

        One that `kill` or `terminate` was called for is not left alone, also if that call was cancelled: it is killed.
        """

    async def terminate(self, name: str, *, grace_s: float) -> None:
        """SIGTERM, then SIGKILL after `grace_s`; returns when the process is reaped."""

    async def state(self, name: str) -> str:
        """`running`, `stopped` or `gone`, as the kernel reports it."""

    async def accepts(self, name: str) -> bool:
        """Whether a TCP connect to the replica's port succeeds."""

    async def ready(self, name: str) -> bool:
        """Whether `GET /health/ready` returns 200."""


class ControlPorts(Protocol):
    """The control ports of the replicas and of the gateway (`docs/wire.md`). Each call may raise `Unreachable`."""

    async def add_behaviour(self, name: str, fault_id: str, body: dict[str, Any]) -> None:
        """Add a behaviour to a process, and keep its lease renewed."""

    async def remove_behaviour(self, name: str, fault_id: str) -> int:
        """Remove a behaviour and stop renewing its lease; returns how many requests it hit there."""

    async def behaviours(self, name: str) -> dict[str, Any]:
        """The behaviours that are active in a process, by fault id."""

    def behaviour_url(self, name: str, fault_id: str) -> str:
        """The URL whose DELETE removes the behaviour, for the write-ahead file."""


class LoadGenerators(Protocol):
    """The load generators of the run."""

    async def order_demand(self, order: Order) -> None:
        """Order additional or changed demand, until `cancel_demand`."""

    async def cancel_demand(self, fault_id: str) -> None:
        """Cancel an order; the load generators receive it within 250 ms."""

    async def demand_state(self, fault_id: str) -> DemandState:
        """What the load generators report of an order. Raises `Unreachable` where no recent report exists."""


class SystemCommands(Protocol):
    """The user's own system, on which commands of the user's run."""

    commands_from: str
    """The folder in which they run: that of the experiment's file. An absolute path."""

    async def run_command(self, fault_id: str, stage: CommandStage, command: Command) -> CommandResult:
        """Run a command of a fault to its end. What is cancelled is killed, with all its processes."""


class UndoLog(Protocol):
    """The write-ahead file: how to undo each fault, on disk before the fault is injected."""

    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        """Record how to undo a fault; it is on disk (fsync) when this returns."""

    async def disarm(self, fault_id: str) -> None:
        """Record that the fault is undone."""


class World(ReplicaProcesses, ControlPorts, LoadGenerators, SystemCommands, UndoLog, Protocol):
    """What a fault may do. Times are seconds; any call may raise `FaultError`."""

    offers: frozenset[Where]
    """The places where a fault can act in this target."""

    replicas: Mapping[str, ReplicaView]
    """The replicas of ours, by name; empty where there are none."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def until(self, condition: Callable[[], Awaitable[bool]], timeout_s: float, what: str) -> None:
        """Wait for a condition. Raises `FaultError` with `what` if it is still false after `timeout_s`."""
