"""The Locust shell: runs a player in each Locust process, and reports results to Locust.

    standalone       the start of the test starts the load; its stop drains the load, then ends it
    distributed      worker k of n plays the sessions whose index is k modulo n; the master drains, then stops them
    web UI           start, stop, and the statistics of logical calls

The number of Locust users has no effect: the profile defines the arrivals. One user exists only so that Locust
considers the test running.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import gevent
import msgspec
from locust import User, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadprofiles.client.client import Client
from loadprofiles.client.clock import unix_ns
from loadprofiles.client.records import CallRecord
from loadprofiles.demand import HIGHEST_LEVEL, LOWEST_LEVEL, ActiveDemand, read_orders
from loadprofiles.player import counters
from loadprofiles.player.load_config import LoadConfig
from loadprofiles.player.player import Player
from reports.shared.errors import BrownoutError

__all__ = ["AgentSessions", "CallFailedError", "LoadHost", "host"]

_log = logging.getLogger(__name__)
_SPLIT, _CONFIG = "brownout_split", "brownout_config"
"""Names of options that the master sets; Locust sends its options to the workers before they start."""
_DRAIN, _DRAINED = "brownout_drain", "brownout_drained"
_MASTER_PATIENCE_S = 10.0
EXIT_USAGE = 2


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class CallFailedError(Exception):
    """A logical call whose outcome was not `ok`: its outcome, its status, and why.

    Locust groups failures by this text, so each number in it that is not the status is replaced by N.
    """

    def __init__(self, record: CallRecord) -> None:
        status = f" {record.status}" if record.status is not None and record.status >= 300 else ""
        why = f": {_NUMBER.sub('N', record.message)}" if record.message else ""
        super().__init__(f"{record.outcome.value}{status}{why}")


class LoadHost:
    """The load of one Locust process. Created by `host`."""

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
        """Makes exactly these demand orders (`docs/wire.md`) active. An invalid order is logged and ignored."""
        if self.player is not None:
            self.player.order(read_orders(orders))

    def level(self, level: object) -> None:
        """Plays more or fewer sessions (`level` of `docs/wire.md`). An invalid level is logged and ignored."""
        if self.player is None:
            return
        try:
            factor, number = level["factor"], level["number"]  # type: ignore[index]
            self.player.level(min(max(float(factor), LOWEST_LEVEL), HIGHEST_LEVEL), int(number))
        except (TypeError, KeyError, ValueError):
            _log.exception("the level %r is not known", level)

    def drain(self) -> None:
        """Starts no more sessions; running ones continue. Returns immediately; `snapshot()["done"]` becomes true."""
        if self.player is not None:
            self.player.drain()

    def hold(self, holding: bool) -> None:
        """While `holding`, sessions that come due are skipped and no call is retried."""
        if self.player is not None:
            self.player.hold(holding)

    def stop(self) -> None:
        """Ends every session (counted as unfinished) and makes Locust quit. Returns when the sessions have ended."""
        if self.player is not None:
            self.player.stop()
        gevent.spawn(self._environment.runner.quit)

    def snapshot(self) -> dict[str, object]:
        """The counters of `docs/wire.md`."""
        return counters.snapshot()

    # -- Locust's events ------------------------------------------------------------------------------------------

    def on_test_start(self, **_: object) -> None:
        """Starts the player. On a master, assigns the sessions to the workers instead."""
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
        """Drains the load before Locust stops its users, which would abort sessions and count them as failures."""
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
        """Ends the load without draining: the process is about to exit."""
        if self.player is not None:
            self.player.stop()

    def on_drain_message(self, **_: object) -> None:
        """Drains this worker's load, when its master requests it, and reports back."""
        if self.player is not None and self._config is not None:
            self.player.drain()
            self.player.wait(self._config.drain_s)
            self.player.stop()
        self._environment.runner.send_message(_DRAINED, None)

    def on_drained_message(self, msg: Any, **_: object) -> None:
        """Records that a worker has drained; the master stops the test when all have."""
        runner = self._environment.runner
        self._drained.add(msg.node_id)
        alive = {client.id for client in runner.clients.all}
        if alive <= self._drained and runner.state in ("running", "spawning"):
            gevent.spawn(runner.quit if self._environment.parsed_options.headless else runner.stop)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _make_player(self, config: LoadConfig, worker: int, workers: int) -> Player:
        client = Client(config.client_options(), ActiveDemand())
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
        """Returns a listener that reports each logical call to Locust.

        Its TTFT goes into a row of its own, which is not part of Locust's Aggregated row.
        """
        environment = self._environment
        fire = environment.events.request.fire
        name = client.endpoint.base_path + client.wire.path

        def report(record: CallRecord) -> None:
            fire(
                request_type="POST",
                name=name,
                response_time=record.e2e_s * 1000,
                response_length=len(record.answer.text) if record.answer is not None else 0,
                exception=None if record.ok else CallFailedError(record),
                context={},
                start_time=unix_ns(record.sent_s) / 1e9,
                url=name,
            )
            ttft_s = record.ttft_s
            if ttft_s is not None:
                environment.stats.get(name, "TTFT").log(ttft_s * 1000, 0)

        return report

    def _watch(self, player: Player) -> None:
        """Ends the test when the plan is exhausted. In a chaos run the runner decides when to end."""
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
        _log.warning("not every worker reported within %.0f s that its sessions have ended", limit_s)


def host(environment: Any, make_config: Callable[[], LoadConfig], *, chaos: bool = False) -> LoadHost:
    """Connects the load to a Locust environment. Call it from an `init` listener, when the runner exists.

    `make_config` is called at each start of a test. If it raises a `BrownoutError`, the error is logged and Locust
    exits with 2. `chaos`: failed requests are expected and do not make Locust's exit code 1, and the test continues
    after the plan is exhausted, until `stop` is called.
    """
    load_host = LoadHost(environment, make_config, chaos=chaos)
    environment.brownout = load_host
    events = environment.events
    events.test_start.add_listener(load_host.on_test_start)
    events.test_stopping.add_listener(load_host.on_test_stopping)
    events.quitting.add_listener(load_host.on_quitting)
    if isinstance(environment.runner, MasterRunner):
        environment.runner.register_message(_DRAINED, load_host.on_drained_message)
    elif isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message(_DRAIN, load_host.on_drain_message, concurrent=True)
    return load_host


class AgentSessions(User):  # type: ignore[misc]  # Locust carries no types under our mypy settings
    """A placeholder user that keeps Locust running. The process's `LoadHost` plays the sessions."""

    @task  # type: ignore[untyped-decorator]
    def play(self) -> None:
        """Waits until the load is done."""
        load_host = getattr(self.environment, "brownout", None)
        while load_host is not None and not (load_host.player is not None and load_host.player.done):
            gevent.sleep(0.5)
        raise StopUser
