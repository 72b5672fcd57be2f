"""The Locust shell: hosts a player in each Locust process, and tells Locust what happened.

    on its own       the test's start starts the load; its stop drains, then ends it
    distributed      worker k of n plays the sessions that are k modulo n; the master drains them before it stops them
    web UI           start, stop, and the statistics of logical calls

The number of Locust users means nothing here: arrivals are the profile's. A user only stands for the load in Locust's
books, so that Locust believes the test to be running.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
import msgspec
from locust import User, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadprofiles.client.client import CallRecord, Client
from loadprofiles.client.clock import unix_ns
from loadprofiles.demand import DemandNow, read_orders
from loadprofiles.player import counters
from loadprofiles.player.load_config import LoadConfig
from loadprofiles.player.player import Player
from reports.shared.errors import BrownoutError

__all__ = ["AgentSessions", "CallFailedError", "LoadHost", "host"]

_log = logging.getLogger(__name__)
_SPLIT, _CONFIG = "brownout_split", "brownout_config"
"""Set among a master's options, which Locust hands to its workers before they start."""
_DRAIN, _DRAINED = "brownout_drain", "brownout_drained"
_MASTER_PATIENCE_S = 10.0
EXIT_USAGE = 2


class CallFailedError(Exception):
    """A logical call that did not end `ok`; Locust groups failures by its text."""


class LoadHost:
    """The load of one Locust process. Made by `host`."""

    def __init__(self, environment: Any, make_config: Callable[[], LoadConfig], *, chaos: bool) -> None:
        self.player: Player | None = None
        self._environment = environment
        self._make_config = make_config
        self._chaos = chaos
        self._config: LoadConfig | None = None
        self._drained: set[str] = set()
        if chaos:
            environment.process_exit_code = 0

    # -- for the caller -------------------------------------------------------------------------------------------

    def order(self, orders: object) -> None:
        """The runner's word on demand faults: exactly these orders (`docs/wire.md`) are on. One that is none is logged
        and left out."""
        if self.player is not None:
            self.player.order(read_orders(orders))

    def drain(self) -> None:
        """No session starts any more; those under way go on. Returns at once; `snapshot()["done"]` tells the end."""
        if self.player is not None:
            self.player.drain()

    def hold(self, holding: bool) -> None:
        """Sessions that come due are passed over, until it is taken back."""
        if self.player is not None:
            self.player.hold(holding)

    def stop(self) -> None:
        """Ends every session now (unfinished ones are counted) and makes Locust quit. Returns when sessions ended."""
        if self.player is not None:
            self.player.stop()
        gevent.spawn(self._environment.runner.quit)

    def snapshot(self) -> dict[str, object]:
        """The counters of `docs/wire.md`."""
        return counters.snapshot()

    # -- Locust's events ------------------------------------------------------------------------------------------

    def on_test_start(self, **_: object) -> None:
        """Starts the player; on a master, tells the workers which sessions are whose."""
        environment, runner = self._environment, self._environment.runner
        options = environment.parsed_options
        try:
            if isinstance(runner, WorkerRunner) and hasattr(options, _CONFIG):
                config = msgspec.json.decode(getattr(options, _CONFIG), type=LoadConfig)
            else:
                config = self._make_config()
            self._config = config
            if isinstance(runner, MasterRunner):
                self._drained.clear()
                clients = sorted(client.id for client in runner.clients.all)
                setattr(options, _SPLIT, {client: k for k, client in enumerate(clients)})
                setattr(options, _CONFIG, msgspec.json.encode(config).decode())
                return
            worker, workers = 0, 1
            if isinstance(runner, WorkerRunner):
                split = getattr(options, _SPLIT, {})
                worker, workers = split.get(runner.client_id, 0), max(len(split), 1)
            self.player = self._make_player(config, worker, workers)
        except BrownoutError as error:
            _log.error("%s", error)
            environment.process_exit_code = EXIT_USAGE
            gevent.spawn(runner.quit if options.headless else runner.stop)
            return
        self.player.start()
        gevent.spawn(self._watch, self.player)

    def on_test_stopping(self, **_: object) -> None:
        """Drains before Locust stops its users: it would cut sessions and count them as failures."""
        runner = self._environment.runner
        limit_s = self._config.drain_s if self._config is not None else 0.0
        if isinstance(runner, MasterRunner):
            runner.send_message(_DRAIN, None)
            self._wait_for_workers(runner, limit_s + _MASTER_PATIENCE_S)
        elif self.player is not None:
            if not isinstance(runner, WorkerRunner):
                self.player.drain()
                self.player.wait(limit_s)
            self.player.stop()

    def on_quitting(self, **_: object) -> None:
        """The process is about to go: nothing is waited for."""
        if self.player is not None:
            self.player.stop()

    def on_drain_message(self, **_: object) -> None:
        """A worker is told by its master to drain."""
        if self.player is not None and self._config is not None:
            self.player.drain()
            self.player.wait(self._config.drain_s)
            self.player.stop()
        self._environment.runner.send_message(_DRAINED, None)

    def on_drained_message(self, msg: Any, **_: object) -> None:
        """A master hears that a worker has no session left."""
        runner = self._environment.runner
        self._drained.add(msg.node_id)
        alive = {client.id for client in runner.clients.all}
        if alive <= self._drained and runner.state in ("running", "spawning"):
            gevent.spawn(runner.quit if self._environment.parsed_options.headless else runner.stop)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _make_player(self, config: LoadConfig, worker: int, workers: int) -> Player:
        client = Client(config.client_options(), DemandNow())
        counts = counters.Counters(config.slo)
        player = Player(
            config.plans(worker, workers),
            client,
            counts,
            profile=config.profile.name,
            agent_name=config.agent_name,
            seed=config.seed,
            horizon_s=config.horizon_s,
            on_call=self._report(client),
            extra=lambda demand, from_s: config.extra_plans(demand, from_s, worker, workers),
        )
        counters.register(counts, player)
        return player

    def _report(self, client: Client) -> Callable[[CallRecord], None]:
        """Tells Locust of each logical call, and of its TTFT in a row that stays out of the Aggregated one."""
        environment = self._environment
        fire = environment.events.request.fire
        name = client.endpoint.base_path + client.wire.path

        def report(record: CallRecord) -> None:
            fire(
                request_type="POST",
                name=name,
                response_time=record.e2e_s * 1000,
                response_length=len(record.answer.text) if record.answer is not None else 0,
                exception=None if record.ok else CallFailedError(record.outcome.value),
                context={},
                start_time=unix_ns(record.sent_s) / 1e9,
                url=name,
            )
            ttft_s = record.ttft_s
            if ttft_s is not None:
                environment.stats.get(name, "TTFT").log(ttft_s * 1000, 0)

        return report

    def _watch(self, player: Player) -> None:
        """Ends the test when the plan is through: in a chaos run that is the runner's to decide."""
        player.wait()
        runner = self._environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(_DRAINED, None)
        elif not self._chaos and runner.state in ("running", "spawning"):
            (runner.quit if self._environment.parsed_options.headless else runner.stop)()

    def _wait_for_workers(self, runner: Any, limit_s: float) -> None:
        with gevent.Timeout(limit_s, False):
            while not {client.id for client in runner.clients.all} <= self._drained:
                gevent.sleep(0.05)
            return
        _log.warning("not every worker said that its sessions have ended within %.0f s", limit_s)


def host(environment: Any, make_config: Callable[[], LoadConfig], *, chaos: bool = False) -> LoadHost:
    """Hosts the load in a Locust environment; to be called from an `init` listener, when there is a runner.

    `make_config` is called at each start of a test; a `BrownoutError` of its is logged, and Locust exits with 2.
    `chaos`: failed requests are the point and do not make Locust's exit code 1, and it goes on when the plan is
    through, until it is told to `stop`.
    """
    made = LoadHost(environment, make_config, chaos=chaos)
    environment.brownout = made
    events = environment.events
    events.test_start.add_listener(made.on_test_start)
    events.test_stopping.add_listener(made.on_test_stopping)
    events.quitting.add_listener(made.on_quitting)
    if isinstance(environment.runner, MasterRunner):
        environment.runner.register_message(_DRAINED, made.on_drained_message)
    elif isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message(_DRAIN, made.on_drain_message, concurrent=True)
    return made


class AgentSessions(User):  # type: ignore[misc]  # Locust carries no types under our mypy settings
    """Stands for the load in Locust's books. The sessions are played beside it, by the process's `LoadHost`."""

    @task  # type: ignore[untyped-decorator]
    def play(self) -> None:
        """Is busy for as long as the load is."""
        made = getattr(self.environment, "brownout", None)
        while made is not None and not (made.player is not None and made.player.done):
            gevent.sleep(0.5)
        raise StopUser
