"""The `World` of a real run: the supervisor's processes, the control ports and the load generators.

It also renews the leases of behaviours. A replica drops a behaviour whose lease expires, so a runner that hangs or dies
leaves none behind. Each process is renewed on its own, so that one that does not answer delays no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from chaos.faults.world import (
    Command,
    CommandResult,
    CommandStage,
    DemandState,
    FaultError,
    ReplicaView,
    Undo,
    Unreachable,
    offers_of,
)
from chaos.runner.load_control import LoadControl
from chaos.runner.refusals import Refusals
from chaos.runner.user_commands import UserCommands
from chaos.supervision.supervisor import Supervisor
from loadprofiles.demand import Order
from reports.shared.attributes import TARGET_GATEWAY
from reports.shared.control_port import TOKEN_HEADER

__all__ = ["Address", "LiveWorld"]

RENEW_EVERY_S = 1.0
RENEW_WITHIN_S = 1.0
"""How long a process may take to answer a renewal: well below the lease, so that a late one can be repeated."""
LEASE_S = 5.0
CALL_WITHIN_S = 2.0
POLL_S = 0.02
OPERATE_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Address:
    """The ports of a replica, on 127.0.0.1."""

    view: ReplicaView
    port: int
    control_port: int


class LiveWorld:
    """Implements `chaos.faults.world.World`.

    `start_again(name, cold_start_s)` starts a replica's next process. `load` controls the load generators.
    `on_lapse(name, fault_id)`: a process no longer has a behaviour that should be active there. `refusals` counts the
    connections of this object that were refused.

    Without `addresses` (a user's own endpoint) only faults of the load are possible; without `gateway_control_port`,
    none of the gateway. `commands` runs those of the user's; without it, there are none.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        addresses: Mapping[str, Address],
        token: str,
        start_again: Callable[[str, float], Awaitable[None]],
        load: LoadControl,
        gateway_control_port: int = 0,
        on_lapse: Callable[[str, str], None] = lambda name, fault_id: None,
        refusals: Refusals | None = None,
        commands: UserCommands | None = None,
    ) -> None:
        self._supervisor = supervisor
        self._addresses = dict(addresses)
        self._start_again = start_again
        self._load = load
        self._on_lapse = on_lapse
        self._refusals = refusals or Refusals()
        self._commands = commands
        self.commands_from = commands.folder if commands is not None else ""
        self._control_ports = {name: address.control_port for name, address in addresses.items()}
        self._control_ports[TARGET_GATEWAY] = gateway_control_port
        self._headers = {TOKEN_HEADER: token}
        self._session: aiohttp.ClientSession | None = None
        self._ending_all = False
        self._behaving: dict[str, set[str]] = {}
        """The ids of the behaviours that should be active, by process."""
        self._renewed_s: dict[tuple[str, str], float] = {}
        """When the last renewal of each that succeeded was sent, by process and id; monotonic seconds."""
        self._ending: set[str] = set()
        """Processes whose end a fault ordered, until they are reaped."""
        self._renewals: asyncio.Task[None] | None = None
        self.offers = offers_of(own_replicas=bool(addresses), own_gateway=bool(gateway_control_port))
        self.replicas: Mapping[str, ReplicaView] = {name: address.view for name, address in addresses.items()}

    async def __aenter__(self) -> LiveWorld:
        self._session = aiohttp.ClientSession(trust_env=False, headers=self._headers)
        self._renewals = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewals is not None:
            self._renewals.cancel()
            await asyncio.gather(self._renewals, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def use_load(self, load: LoadControl) -> None:
        """The load generators from now on, where they are started and stopped by hand."""
        self._load = load

    def add_replicas(self, addresses: Mapping[str, Address]) -> None:
        """These replicas are targets from now on: a pool was added."""
        self._addresses.update(addresses)
        self._control_ports.update({name: address.control_port for name, address in addresses.items()})
        self.replicas = {**self.replicas, **{name: address.view for name, address in addresses.items()}}

    def remove_replicas(self, names: Iterable[str]) -> None:
        """These replicas are no targets any more."""
        left = frozenset(names)
        self.replicas = {name: view for name, view in self.replicas.items() if name not in left}

    def is_gone(self, name: str) -> bool:
        """Whether the process is not there."""
        return self._supervisor.state(name) == "gone"

    def end(self) -> None:
        """The run is over, and every process ends next: from now on, `start` starts nothing."""
        self._ending_all = True

    # -- processes --------------------------------------------------------------------------------------------------
    async def kill(self, name: str) -> None:
        """SIGKILL; returns when the process is reaped."""
        self._ending.add(name)
        await self._supervisor.kill(name)
        self._ending.discard(name)

    async def freeze(self, name: str) -> None:
        """SIGSTOP."""
        await self._supervisor.signal(name, signal.SIGSTOP)

    async def thaw(self, name: str) -> None:
        """SIGCONT."""
        await self._supervisor.signal(name, signal.SIGCONT)

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        """Start a replica whose process is gone, on its old ports; a running one is left alone.

        One that `kill` or `terminate` ordered to end counts as gone, also where that call was cancelled: it is killed
        first. Otherwise it would end after its replacement was looked for, and nothing would start it again.
        """
        if self._ending_all:
            return
        if name in self._ending:
            await self.kill(name)
        if self._supervisor.state(name) == "gone":
            await self._supervisor.wait(name)  # a zombie still has the name and the ports
            await self._start_again(name, cold_start_s)

    async def terminate(self, name: str, *, grace_s: float) -> None:
        """SIGTERM, then SIGKILL after `grace_s`."""
        self._ending.add(name)
        await self._supervisor.stop(name, grace_s)
        self._ending.discard(name)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def state(self, name: str) -> str:
        """`running`, `stopped` or `gone`."""
        return self._supervisor.state(name)

    async def accepts(self, name: str) -> bool:
        """Whether a TCP connect to the replica's port succeeds within half a second."""
        try:
            async with asyncio.timeout(0.5):
                _, writer = await asyncio.open_connection("127.0.0.1", self._addresses[name].port)
        except (OSError, TimeoutError) as error:
            self._refused(error)
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def ready(self, name: str) -> bool:
        """Whether `GET /health/ready` returns 200 within a second. Raises FaultError if its process has ended."""
        assert self._session is not None
        if not self._ending_all and self._supervisor.state(name) == "gone":
            raise FaultError(f"{name} was started again, and has ended by itself; its log is logs/{name}.log")
        url = f"http://127.0.0.1:{self._addresses[name].port}/health/ready"
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=1), headers={}) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._refused(error)
            return False

    def _refused(self, error: Exception) -> None:
        """Count a connection of ours that was refused; aiohttp wraps the error."""
        self._refusals.own += isinstance(getattr(error, "os_error", error), ConnectionRefusedError)

    # -- behaviours -------------------------------------------------------------------------------------------------
    def _control(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self._control_ports[name]}{path}"

    async def _call(self, method: str, name: str, path: str, body: Any = None, within_s: float = CALL_WITHIN_S) -> Any:
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=within_s)
        try:
            async with self._session.request(method, self._control(name, path), json=body, timeout=timeout) as answer:
                reply = await answer.json(content_type=None)
                if answer.status >= 400:
                    raise FaultError(f"{name} refused {method} {path}: {reply}")
                return reply
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._refused(error)
            raise Unreachable(f"{name} does not answer on its control port: {error or type(error).__name__}") from error

    async def add_behaviour(self, name: str, fault_id: str, body: dict[str, Any]) -> None:
        """Add a behaviour to a process, with a lease that this object renews until `remove_behaviour`."""
        self._renewed_s[name, fault_id] = time.monotonic()
        await self._call("PUT", name, f"/behaviours/{fault_id}", {"lease_s": LEASE_S, **body})
        self._behaving.setdefault(name, set()).add(fault_id)

    async def remove_behaviour(self, name: str, fault_id: str) -> int:
        """Remove a behaviour; returns how many requests it hit there."""
        self._behaving.get(name, set()).discard(fault_id)
        reply = await self._call("DELETE", name, f"/behaviours/{fault_id}")
        return int(reply.get("hits", 0))

    async def behaviours(self, name: str) -> dict[str, Any]:
        """The behaviours that are active in a process, by fault id."""
        reply = await self._call("GET", name, "/behaviours")
        return dict(reply)

    def behaviour_url(self, name: str, fault_id: str) -> str:
        """The URL whose DELETE removes the behaviour, for the write-ahead file."""
        return self._control(name, f"/behaviours/{fault_id}")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await asyncio.gather(*(self._renew_one(name, ids) for name, ids in self._behaving.items() if ids))

    async def _renew_one(self, name: str, ids: set[str]) -> None:
        """Renew the behaviours of one process. One that it has no more, or that it cannot have, has lapsed."""
        sent_s = time.monotonic()
        wanted = set(ids)
        body = {"ids": sorted(wanted)}
        try:
            answer = await self._call("POST", name, "/behaviours/renew", body, within_s=RENEW_WITHIN_S)
            held = wanted & set(answer["renewed"])
        except (FaultError, Unreachable, LookupError, TypeError):
            held = {one for one in wanted if sent_s - self._renewed_s[name, one] <= LEASE_S}
        else:
            self._renewed_s.update({(name, one): sent_s for one in held})
        for one in sorted(wanted - held):
            if one in ids:  # it was not removed meanwhile
                ids.discard(one)
                self._on_lapse(name, one)

    # -- the operator's settings of our gateway -----------------------------------------------------------------------
    async def operate(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the operator's settings of the gateway (`docs/wire.md`). Returns those in force.

        Raises FaultError in the gateway's words, Unreachable where it does not answer.
        """
        # Under the overload that an operator wants to end, an answer takes a while.
        return dict(await self._call("PUT", TARGET_GATEWAY, "/operations", dict(state), within_s=OPERATE_WITHIN_S))

    async def operations(self) -> dict[str, Any]:
        """The operator's settings of the gateway that are in force."""
        return dict(await self._call("GET", TARGET_GATEWAY, "/operations", within_s=OPERATE_WITHIN_S))

    # -- demand -----------------------------------------------------------------------------------------------------
    async def order_demand(self, order: Order) -> None:
        """Order demand: sent with the answer to each post of the load generators, until `cancel_demand`."""
        self._load.orders[order.id] = order

    async def cancel_demand(self, fault_id: str) -> None:
        """Cancel an order."""
        self._load.orders.pop(fault_id, None)

    async def demand_state(self, fault_id: str) -> DemandState:
        """What the load generators report of an order."""
        return self._load.demand_state(fault_id)

    # -- commands ---------------------------------------------------------------------------------------------------
    async def run_command(self, fault_id: str, stage: CommandStage, command: Command) -> CommandResult:
        """Run a command of a fault to its end. What is cancelled is killed, with all its processes."""
        if self._commands is None:
            raise FaultError("commands cannot be run here")
        return await self._commands.run(fault_id, stage, command)

    # -- the write-ahead file ---------------------------------------------------------------------------------------
    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        """Record on disk how to undo a fault, before it is injected."""
        logs = self._commands.log if self._commands is not None else lambda fault, stage: ""
        records = [{**one, "log": logs(fault_id, "revert")} if one.get("do") == "exec" else one for one in undo]
        await self._supervisor.arm(fault_id, records)

    async def disarm(self, fault_id: str) -> None:
        """Record that the fault is undone."""
        await self._supervisor.disarm(fault_id)

    async def until(self, condition: Callable[[], Awaitable[bool]], timeout_s: float, what: str) -> None:
        """Wait for a condition. Raises FaultError with `what` if it is still false after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not await condition():
            if time.monotonic() > deadline:
                raise FaultError(f"{what}, after {timeout_s:g} s")
            await asyncio.sleep(POLL_S)
