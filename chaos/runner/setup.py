"""From nothing to a target that is ready for the load: starts every process of a run, and waits for each.

In front of the replicas may be the reference gateway, a real one that the run starts, or one of the user's, which runs
already. The others than ours are called until a call comes to a replica: it may have found its upstreams dead before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from chaos.experiment.model import ALLOW_EXPOSED, Experiment, Front, UrlTarget
from chaos.experiment.target_checks import installation_of, installation_problem
from chaos.runner.adapter_gateway import AdapterGateway
from chaos.runner.deployment import GATEWAY, Deployment, load_spec
from chaos.runner.early_end import EarlyEnd, Ended
from chaos.runner.gateway_cpu import port_of
from chaos.runner.listening import beyond_loopback, port_beyond_loopback
from chaos.runner.live_world import Address
from chaos.runner.load_config import load_config
from chaos.runner.load_control import LoadControl
from chaos.runner.probe import probe_spec, probe_target
from chaos.runner.probe_result import ProbeResult, failure_text, gateway_failure_text, notes
from chaos.runner.reached import call_at_a_replica
from chaos.runner.readiness import ProcessEnded, all_ready, unless_ended
from chaos.runner.record_writer import RunFolder
from chaos.runner.run_watch import RunWatch
from chaos.supervision.identity import descendants
from chaos.supervision.supervisor import Child, ChildSpec, Supervisor
from reports.shared.attributes import Outcome
from reports.shared.errors import TargetFailed
from targets.adapters.cache import version_note
from targets.adapters.catalogue import ADAPTERS

__all__ = ["Setup"]

READY_WITHIN_S: Final = 60.0
PASSES_ON_WITHIN_S: Final = 30.0
"""How long a gateway of the user's may take to find that its upstreams are up."""
PROBE_AGAIN_AFTER_S: Final = 1.0


@dataclass(slots=True)
class Setup:
    """Starts the processes of one run. `say` prints a line for the user.

    `deployment`: the processes of the stack; None where the target has none of ours. `gateway`: the real gateway that
    the run starts; None without one.
    """

    experiment: Experiment
    folder: RunFolder
    supervisor: Supervisor
    watch: RunWatch
    early: EarlyEnd
    load: LoadControl
    say: Callable[[str], None]
    token: str
    collector_url: str
    front: Front | None = None
    """In place of the experiment's own: "none" for replicas without a gateway."""
    gateway_port: int = 0
    with_reserve: bool = False
    """Whether the reserve of the stack can be added."""
    deployment: Deployment | None = field(init=False)
    gateway: AdapterGateway | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        experiment = self.experiment
        self.deployment = None
        if experiment.stack is not None:
            self.deployment = Deployment.plan(
                experiment.stack,
                self.folder,
                self.token,
                self.collector_url,
                experiment.seed,
                first_port=experiment.first_port,
                front=self.front or experiment.front,
                gateway_port=self.gateway_port,
                with_reserve=self.with_reserve,
            )

    @property
    def addresses(self) -> Mapping[str, Address]:
        """The replicas of ours, by name."""
        return self.deployment.addresses if self.deployment is not None else {}

    @property
    def gateway_control_port(self) -> int:
        """That of the reference gateway; 0 without it."""
        return self.deployment.gateway_control_port if self.deployment is not None else 0

    async def start(self) -> None:
        """Start everything, and wait until it is ready. Raises `Ended` where the run ends before its load."""
        own = self.experiment.url
        self._prepare_gateway()
        config = load_config(self.experiment, self.url, self.headers)
        load = load_spec(self.folder, config, token=self.token, collector=self.collector_url)
        if own is not None and self.deployment is None:
            await self.early.or_end(self._probe(own, config))
        await self._start([load], {"the load generator": self.load.connected.wait()})
        if self.deployment is not None and not self.deployment.own_gateway:
            await self.early.or_end(self._probe_gateway(config, self.deployment))

    async def start_stack(self) -> None:
        """Start the stack alone, and wait until it is ready: its load is started by hand. Raises `Ended`."""
        self._prepare_gateway()
        await self._start([], {})

    @property
    def url(self) -> str:
        """The URL that the load calls, without the path of an API; "" where there is no gateway."""
        own, deployment = self.experiment.url, self.deployment
        if own is not None:
            return own.url
        return deployment.gateway_url if deployment is not None and deployment.gateway_port else ""

    @property
    def headers(self) -> Mapping[str, str] | None:
        """What the gateway wants from its clients; None for those of the experiment."""
        return self.gateway.headers if self.gateway is not None else None

    async def _start(self, others: list[ChildSpec], others_ready: Mapping[str, Awaitable[object]]) -> None:
        children = [*(self.deployment.specs() if self.deployment is not None else []), *others]
        await self.early.or_end(asyncio.gather(*(self.spawn(spec) for spec in children)))
        await self.early.or_end(self._all_ready(others_ready))
        if self.gateway is not None:
            await self.early.or_end(self.start_gateway())

    def _prepare_gateway(self) -> None:
        """The real gateway that this run starts, if it starts one."""
        choice, deployment = self.experiment.gateway, self.deployment
        if choice is None or deployment is None:
            return
        installation = installation_of(choice)
        if installation is None:
            raise TargetFailed(installation_problem(choice))
        adapter = ADAPTERS[choice.name]
        self.say(f"{choice}, version {installation.version}")
        if note := version_note(adapter, installation):
            self.say(note)
        self.folder.events.write(
            "gateway",
            name=adapter.name,
            preset=choice.preset,
            program=installation.program.name,  # its folder may tell the user's name
            version=installation.version,
            tested=adapter.version,
        )
        self.gateway = AdapterGateway.make(adapter, choice.preset, installation, deployment, self.folder)

    async def start_gateway(self) -> None:
        """Start the real gateway when its upstreams are ready, so that it finds none of them dead. Raises `Ended`."""
        assert self.gateway is not None
        await self.spawn(self.gateway.spec())
        try:
            await unless_ended(self.supervisor, [GATEWAY], self.gateway.wait_until_ready())
        except TargetFailed as error:
            raise Ended("failed", f"{error}{self.watch.log_excerpt(GATEWAY)}", 5) from None
        self.is_ready(GATEWAY)
        self._check_exposure()

    def _check_exposure(self) -> None:
        """A gateway of a run listens on this machine only, unless the target allows more. Raises `Ended`."""
        child, choice = self.supervisor.child(GATEWAY), self.experiment.gateway
        assert child is not None
        assert choice is not None
        exposed = beyond_loopback([child.pid, *(one.pid for one in descendants(child.pid))])
        if not exposed:
            return
        what = f"{choice.name} listens at {', '.join(exposed)}: other machines can reach it"
        if not choice.exposed:
            remedy = f"gateway: {{{choice.name}: {{preset: {choice.preset}, allow_exposed: true}}}}"
            raise Ended(
                "failed", f"{what}\n    if you allow that, add {ALLOW_EXPOSED}, or write in the target {remedy}", 5
            )
        self.say(what)

    def _name_exposure(self, url: str) -> None:
        """Say where other machines can reach a gateway of the user's that is called on loopback. It is not ours to
        refuse.
        """
        port = port_of(url)
        if port is not None and (exposed := port_beyond_loopback(port)):
            self.say(
                f"your gateway listens at {', '.join(exposed)}: other machines can reach it, and the replicas by it"
            )

    async def start_again(self, name: str, cold_start_s: float) -> None:
        """Start a replica's next process."""
        assert self.deployment is not None
        await self.spawn(self.deployment.replica_spec(name, cold_start_s))

    # -- processes --------------------------------------------------------------------------------------------------
    async def spawn(self, spec: ChildSpec) -> Child:
        """Start a process, and record that."""
        child = await self.supervisor.spawn(spec)
        self.watch.started(child)
        self.started(child)
        return child

    def started(self, child: Child) -> None:
        """Record that a process has started."""
        self.folder.events.write(
            "process",
            name=child.name,
            incarnation=child.incarnation,
            pid=child.pid,
            kind=child.kind,
            event="started",
            status=None,
            expected=True,
        )

    async def _all_ready(self, others: Mapping[str, Awaitable[object]]) -> None:
        async def stack() -> None:
            if self.deployment is not None:
                urls = self.deployment.urls()
                await unless_ended(self.supervisor, urls, all_ready(urls, self.is_ready))
                if self.deployment.own_gateway:
                    await self.watch.fleet_whole.wait()

        waits = {"the stack": stack(), **others}
        tasks = {what: asyncio.ensure_future(wait) for what, wait in waits.items()}
        try:
            done, late = await asyncio.wait(tasks.values(), timeout=READY_WITHIN_S, return_when=asyncio.FIRST_EXCEPTION)
        finally:  # also where the run is interrupted meanwhile: no exception stays unread
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        for task in done:
            if isinstance(error := task.exception(), ProcessEnded):
                raise Ended("failed", f"{error}{self.watch.log_excerpt(error.name)}", 5)
        for task in done:
            if (failure := task.exception()) is not None:
                raise failure
        if late:
            names = " and ".join(what for what, task in tasks.items() if task in late)
            why = f"{names} was not ready within {READY_WITHIN_S:g} s; logs are in {self.folder.path / 'logs'}"
            raise Ended("failed", why, 5)

    def is_ready(self, name: str) -> None:
        """Record that a process serves."""
        self.folder.events.write("process", name=name, event="ready", status=None, expected=True)

    # -- one call before the load -------------------------------------------------------------------------------------
    async def _probe(self, target: UrlTarget, config: Mapping[str, object]) -> None:
        """Call a user's endpoint once, before any load. Raises `Ended` if that fails."""
        self.say("one call to the target, before any load")
        result = await self._call_once(config)
        if not result.ok:
            raise Ended("failed", failure_text(result, target.key_variables), 5)
        for note in notes(result):
            self.say(note)

    async def _probe_gateway(self, config: Mapping[str, object], deployment: Deployment) -> None:
        """Call a gateway until it passes a call on to a replica of ours. Raises `Ended` if it does not."""
        self.say("waiting until the gateway passes a call on to a replica")
        requests = self.folder.path / "requests"
        deadline_s = time.monotonic() + PASSES_ON_WITHIN_S
        while True:
            began_ns = time.time_ns()
            result = await self._call_once(config)
            reached = call_at_a_replica(requests, result.session, began_ns, time.time_ns()) if result.ok else None
            if reached is not None or result.outcome == Outcome.REFUSED or time.monotonic() > deadline_s:
                break
            await asyncio.sleep(PROBE_AGAIN_AFTER_S)
        if reached is None:
            upstreams = [deployment.replica_url(name) for name in deployment.addresses]
            target = self.experiment.url
            text = gateway_failure_text(result, upstreams, target.key_variables if target is not None else "")
            raise Ended("failed", text + (self.watch.log_excerpt(GATEWAY) if self.gateway is not None else ""), 5)
        if (own := self.experiment.url) is not None:
            self._name_exposure(own.url)
        for note in notes(result, at_replica=reached.model):
            self.say(note)

    async def _call_once(self, config: Mapping[str, object]) -> ProbeResult:
        spec = probe_spec(self.folder, config, token=self.token)
        result = await probe_target(self.supervisor, spec, self.started)
        result = msgspec.structs.replace(result, asked=str(config.get("model") or ""))
        self.folder.events.write("probe", **msgspec.structs.asdict(result))
        return result
