"""The load generator of a run: plays the load of `BROWNOUT_CONFIG` with Locust, controlled by the runner.

    locust -f chaos/children/locustfile.py --headless        started by the runner; see docs/wire.md

Sets up the OpenTelemetry SDK before `loadprofiles` gets a tracer. Posts counters every 250 ms; the response has the
runner's command (wait, run, hold, drain or stop) and the demand orders.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

# As in loadprofiles/locustfile.py: modules in this folder must not hide others of the same name.
_HERE = str(Path(__file__).resolve().parent)
_ROOT = str(Path(__file__).resolve().parents[2])
sys.path[:] = [_ROOT if os.path.realpath(entry) == _HERE else entry for entry in sys.path]
# Second, Locust puts the current folder: packages of the user's there must not hide those that are imported later.
if sys.path[1:2] == [os.getcwd()]:
    del sys.path[1]

import gevent  # noqa: E402
import msgspec  # noqa: E402
from geventhttpclient import HTTPClient  # noqa: E402
from locust import events  # noqa: E402

from chaos.children.environment import COUNTERS_EVERY_S, Environment  # noqa: E402
from reports.shared.attributes import SERVICE_LOADGEN  # noqa: E402
from reports.shared.control_port import TOKEN_HEADER  # noqa: E402

_ENV = Environment(os.environ)
EXPORT_EVERY_S = 0.5
WAIT_EVERY_S = 0.05
"""Seconds between two requests for the command to start."""

_provider: Any = None
_spans: Any = None
if _ENV.collector:
    from chaos.children.telemetry import set_up

    _provider, _spans = set_up(
        SERVICE_LOADGEN, _ENV.process, _ENV.incarnation, _ENV.collector, _ENV.token, EXPORT_EVERY_S
    )

from loadprofiles.player.load_config import read_load_config  # noqa: E402
from loadprofiles.player.locust_host import AgentSessions, LoadHost, host  # noqa: E402

__all__ = ["AgentSessions"]


class _RunnerLink:
    """Posts counters to the collector, and passes the commands in the responses on to the load."""

    def __init__(self, environment: Any) -> None:
        self._client = HTTPClient.from_url(_ENV.collector, connection_timeout=5, network_timeout=5, concurrency=1)
        self._environment = environment
        self._load: LoadHost | None = None
        self._lag_s = 0.0

    def await_start(self) -> None:
        """Block until the runner commands `run`. Exit if it commands `stop`."""
        while (command := self.post({}).get("command")) != "run":
            if command == "stop":
                sys.exit(0)
            gevent.sleep(WAIT_EVERY_S)

    def follow(self, load: LoadHost) -> None:
        """Post every 250 ms and execute the commands in the responses, until `stop`."""
        self._load = load
        drained = False
        while True:
            due = time.monotonic() + COUNTERS_EVERY_S
            gevent.sleep(COUNTERS_EVERY_S)
            self._lag_s = max(self._lag_s, time.monotonic() - due)
            response = self.post(load.snapshot())
            if "demand" in response:  # without a response the orders expire
                load.order(response["demand"])
            if "level" in response:
                load.level(response["level"])
            command = response.get("command")
            if command in ("run", "hold"):
                load.hold(command == "hold")
            if command == "drain" and not drained:
                drained = True
                load.drain()
            elif command == "stop":
                load.stop()
                return

    def post(self, data: dict[str, object], *, final: bool = False) -> dict[str, object]:
        """Post the counters. Returns the response; empty if there is none."""
        lag, self._lag_s = self._lag_s, 0.0
        body = {
            "process": _ENV.process,
            "incarnation": _ENV.incarnation,
            "kind": "load",
            "at": time.time_ns(),
            "final": final,
            "spans": {"started": _spans.started, "ended": _spans.ended} if _spans else {},
            "cpu_s": round(time.process_time(), 4),
            "loop_lag_s": round(lag, 5),
            "data": data,
        }
        headers = {TOKEN_HEADER: _ENV.token, "Content-Type": "application/json"}
        try:
            response = self._client.post("/v1/counters", body=msgspec.json.encode(body), headers=headers)
            return msgspec.json.decode(response.read(), type=dict[str, object])
        except Exception:  # the runner may have exited: then its shepherd ends this process
            return {}

    def post_last(self) -> None:
        """The last post, after every span has ended and was exported."""
        if _provider is not None:
            _provider.shutdown()
        self.post(self._load.snapshot() if self._load is not None else {}, final=True)


@events.init.add_listener  # type: ignore[untyped-decorator]
def on_init(environment: Any, **_: object) -> None:
    """Prepare the load, wait for the command to start, then follow the commands."""
    load = host(environment, lambda: read_load_config(_ENV.config), chaos=True)
    if not _ENV.collector:
        return
    link = _RunnerLink(environment)

    def begin(**_: object) -> None:
        gevent.spawn(link.follow, load)

    def end(**_: object) -> None:
        link.post_last()

    link.await_start()
    environment.events.test_start.add_listener(begin)
    environment.events.quit.add_listener(end)
