"""The processes of one run: their ports, their configuration files, and the command of each.

A replica keeps its ports for the whole run, so that a restarted replica has the same address. Behind a gateway of the
user's, the ports are those that the gateway has as its upstreams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from brownout.children import python_words
from chaos.experiment.model import Front
from chaos.faults.world import ReplicaView
from chaos.runner.live_world import Address
from chaos.runner.ports import check_free, free_ports
from chaos.runner.record_writer import RunFolder
from chaos.supervision.supervisor import ChildSpec, child_environment
from targets.gateway.config import GatewayConfig, Operations, Upstream
from targets.hardware.profile import load_hardware
from targets.stack import Replica, Stack

__all__ = ["GATEWAY", "LOAD", "Deployment"]

GATEWAY = "gateway"
LOAD = "locust"
LOCUSTFILE = Path(__file__).parents[1] / "children" / "locustfile.py"


@dataclass(slots=True)
class Deployment:
    """Addresses, configurations and commands of the processes of a run.

    `gateway_port` is 0 where the user's own gateway is in front, `gateway_control_port` without the reference gateway.
    `addresses`: of the replicas that run or should. `reserve`: of those that can be added; empty in a run of an
    experiment, which leaves the reserve out, and behind another gateway than ours.
    """

    stack: Stack
    folder: RunFolder
    token: str
    collector_url: str
    addresses: dict[str, Address]
    gateway_port: int
    gateway_control_port: int
    seed: int
    admin_port: int = 0
    """For the statistics of a real gateway."""
    reserve: dict[str, Address] = field(default_factory=dict)
    operations: Operations = field(default_factory=Operations)
    """What the operator has changed on the gateway: its next process starts with it."""

    @classmethod
    def plan(
        cls,
        stack: Stack,
        folder: RunFolder,
        token: str,
        collector_url: str,
        seed: int,
        *,
        gateway_port: int = 0,
        first_port: int = 0,
        front: Front = "reference",
        with_reserve: bool = False,
    ) -> Deployment:
        """Choose the ports; 0 stands for free ones. Raises UserError if a chosen one is in use.

        `first_port`: that of the first replica; the others have the ports after it, in the stack's order. `front`: with
        `running` and `none`, the gateway needs no port of ours. `with_reserve`: the stack's reserve can be added; it
        has free ports, and needs the reference gateway.
        """
        replicas = stack.replicas
        model_ports = list(range(first_port, first_port + len(replicas))) if first_port else free_ports(len(replicas))
        for port in [*(model_ports if first_port else []), *([gateway_port] if gateway_port else [])]:
            check_free(port)
        taken = {*model_ports, gateway_port}
        control_ports = free_ports(len(replicas), without=taken)
        ports = free_ports(2, without=taken.union(control_ports)) if front in ("reference", "adapter") else [0, 0]
        control_port, admin_port = (ports[1], 0) if front == "reference" else (0, ports[1])
        addresses = {
            replica.name: Address(ReplicaView(replica.name, replica.pool, replica.cloud), port, control)
            for replica, port, control in zip(replicas, model_ports, control_ports, strict=True)
        }
        reserve = {}
        if with_reserve and front == "reference" and stack.reserve:
            free = free_ports(2 * len(stack.reserve_replicas), without=taken.union(control_ports, ports))
            reserve = {
                replica.name: Address(ReplicaView(replica.name, replica.pool, replica.cloud), port, control)
                for replica, port, control in zip(stack.reserve_replicas, free[::2], free[1::2], strict=True)
            }
        port = gateway_port or ports[0]
        return cls(stack, folder, token, collector_url, addresses, port, control_port, seed, admin_port, reserve)

    @property
    def own_gateway(self) -> bool:
        """Whether the reference gateway is one of the processes."""
        return bool(self.gateway_control_port)

    @property
    def gateway_url(self) -> str:
        """The URL of the gateway's API, without `/v1`."""
        return f"http://127.0.0.1:{self.gateway_port}"

    def replica_url(self, name: str) -> str:
        """The URL of a replica's API, without `/v1`."""
        return f"http://127.0.0.1:{self._address(name).port}"

    def _address(self, name: str) -> Address:
        return self.addresses.get(name) or self.reserve[name]

    def add(self, pool: str) -> dict[str, Address]:
        """Count the replicas of a reserve pool among those that run. Returns their addresses."""
        added = {name: address for name, address in self.reserve.items() if address.view.pool == pool}
        self.addresses.update(added)
        return added

    def take_away(self, pool: str) -> None:
        """The replicas of a reserve pool run no more."""
        for name, address in self.reserve.items():
            if address.view.pool == pool:
                self.addresses.pop(name, None)

    def urls(self) -> dict[str, str]:
        """The URL of every server of the stack, by process name."""
        gateway = {GATEWAY: self.gateway_url} if self.own_gateway else {}
        return {**{name: self.replica_url(name) for name in self.addresses}, **gateway}

    def specs(self) -> list[ChildSpec]:
        """How to start every process of the stack. Writes their configurations."""
        gateway = [self.gateway_spec()] if self.own_gateway else []
        return [*(self.replica_spec(name) for name in self.addresses), *gateway]

    def replica_spec(self, name: str, cold_start_s: float = 0.0) -> ChildSpec:
        """How to start a replica, also after it was killed. Writes its configuration."""
        known = [*self.stack.replicas, *self.stack.reserve_replicas]
        replica = next(replica for replica in known if replica.name == name)
        address = self._address(name)
        config = {
            "name": name,
            "pool": replica.pool,
            "cloud": replica.cloud,
            "model": self.stack.model,
            "hardware": replica.hardware,
            "port": address.port,
            "control_port": address.control_port,
            "cold_start_s": cold_start_s,
            "seed": self.seed,
            "context_limit": min(self.stack.context_limit, load_hardware(replica.hardware).kv_tokens),
            "request_log": str(self.folder.request_log(name)),
        }
        return self._spec(name, "replica", python_words("-m", "chaos.children.entry", "replica"), config)

    def gateway_spec(self) -> ChildSpec:
        """How to start the gateway. Writes its configuration."""
        reserve = [replica for replica in self.stack.reserve_replicas if replica.name in self.reserve]
        upstreams = tuple(self._upstream(replica) for replica in [*self.stack.replicas, *reserve])
        config = GatewayConfig(
            upstreams=upstreams,
            port=self.gateway_port,
            control_port=self.gateway_control_port,
            policies=self.stack.gateway,
            model=self.stack.model,
            seed=self.seed,
            reserve=tuple(dict.fromkeys(replica.pool for replica in reserve)),
            operations=self.operations,
        )
        return self._spec(GATEWAY, "gateway", python_words("-m", "chaos.children.entry", "gateway"), config)

    def _upstream(self, replica: Replica) -> Upstream:
        hardware = load_hardware(replica.hardware)
        return Upstream(
            name=replica.name,
            pool=replica.pool,
            cloud=replica.cloud,
            url=self.replica_url(replica.name),
            continuation=True,
            prefill_us_per_token=hardware.b_us,
            step_ms=hardware.a_ms,
            full_step_ms=hardware.a_ms + hardware.b_us * hardware.step_tokens / 1e3,
            sequence_us=hardware.c_us,
            context_ns_per_token=hardware.d_ns,
            usd_per_hour=replica.usd_per_hour,
        )

    def _spec(self, name: str, kind: str, argv: list[str], config: Any) -> ChildSpec:
        return child_spec(self.folder, name, kind, argv, config, token=self.token, collector=self.collector_url)


def child_spec(
    folder: RunFolder, name: str, kind: str, argv: list[str], config: Any, *, token: str, collector: str
) -> ChildSpec:
    """Write a child's configuration. Returns how to start it. The token is in its environment, not in its arguments."""
    path = folder.child_config(name)
    folder.write(
        str(path.relative_to(folder.path)), msgspec.json.format(msgspec.json.encode(config), indent=1).decode()
    )
    environment = child_environment(
        {
            "BROWNOUT_PROCESS": name,
            "BROWNOUT_TOKEN": token,
            "BROWNOUT_COLLECTOR": collector,
            "BROWNOUT_CONFIG": str(path),
        }
    )
    return ChildSpec(name=name, argv=argv, env=environment, log=folder.log(name), kind=kind)


def load_spec(folder: RunFolder, config: Any, *, token: str, collector: str) -> ChildSpec:
    """How to start the load generator: headless Locust with a locustfile that waits for the command to start."""
    argv = python_words(
        "-m",
        "locust",
        "-f",
        str(LOCUSTFILE),
        "--headless",
        "--users=1",
        "--spawn-rate=1",
        "--stop-timeout=1",
        "--only-summary",
        "--loglevel=WARNING",
    )
    return child_spec(folder, LOAD, "load", argv, config, token=token, collector=collector)
