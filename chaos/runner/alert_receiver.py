"""Receives the alerts of the user's own monitoring during a run: a webhook of Alertmanager, on loopback.

An Alertmanager sends groups of alerts by POST, and repeats them as long as they fire. Written into the record is each
change: an alert that begins to fire, and one that is resolved. Alertmanager cannot send the run's token, so none is
wanted: the port is on loopback, refuses what a web page sends, and can only add alerts to the record. Whatever arrives
here slows or ends no run: bodies, alerts and labels are bounded, and what is left out is counted.

The format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config (version 4).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from aiohttp import web

from chaos.runner.ports import holder
from chaos.runner.record_writer import EventLog, RecordFull
from reports.shared.control_server import ControlServer, Refused, decode_json, json_response, read_body
from reports.shared.errors import TargetFailed
from reports.shared.plain_text import printable_line

__all__ = ["MAX_ALERTS", "AlertReceiver"]

MAX_BODY_BYTES: Final = 1024 * 1024
MAX_ALERTS: Final = 1000
"""Most changes of alerts that are written into one record."""
MAX_LABELS: Final = 32
MAX_TEXT: Final = 200
"""Longest name or value of a label that is written, characters."""
JSON: Final = "application/json"


class _Alert(msgspec.Struct):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    startsAt: str = ""  # noqa: N815 - the name of the format
    fingerprint: str = ""


class _Message(msgspec.Struct):
    alerts: list[_Alert]


class AlertReceiver:
    """The receiver of one run. `port` None: there is none; 0: any free port.

    `say(text)` informs the person who watches. `on_failure(error)` is called if the record cannot be written.
    """

    def __init__(
        self,
        port: int | None,
        events: EventLog,
        say: Callable[[str], None],
        on_failure: Callable[[RecordFull], None],
    ) -> None:
        self._port = port
        self._events = events
        self._say = say
        self._on_failure = on_failure
        self._server = ControlServer(self._route, None)
        self._decode = msgspec.json.Decoder(_Message).decode
        self._firing: dict[str, int | None] = {}
        """The alerts that fire, by fingerprint: since when, as they said."""
        self._written = 0
        self._facts = {"posts": 0, "refused": 0, "left_out": 0}
        self.url = ""

    async def start(self) -> None:
        """Listen, and write so into the record. Raises TargetFailed where the port is in use."""
        if self._port is None:
            return
        try:
            port = await self._server.start(self._port)
        except OSError as error:
            by = holder(self._port)
            why = f"in use by {by}" if by else error.strerror or str(error)
            raise TargetFailed(
                f"alerts cannot be received on port {self._port}: {why}. End that process, or write another port"
            ) from error
        self.url = f"http://127.0.0.1:{port}"
        self._write("alert_port", event="opened", port=port)
        self._say(f"alerts are received at {self.url}/")

    async def close(self) -> None:
        """Stop listening, and write what was received. Idempotent."""
        if self.url:
            self.url = ""
            await self._server.close(within_s=0.5)
            self._write("alert_port", event="closed", **self._facts)

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            if request.method != "POST":
                raise Refused(405, f"{request.method} is not allowed here; use POST", {"Allow": "POST"})
            message = decode_json(await read_body(request, MAX_BODY_BYTES, JSON), self._decode)
        except Refused:
            self._facts["refused"] += 1
            raise
        self._facts["posts"] += 1
        for alert in message.alerts:
            self._take(alert)
        return json_response(200, {})

    def _take(self, alert: _Alert) -> None:
        who = _bounded(alert.fingerprint) or _fingerprint(alert.labels)
        fires, started = alert.status == "firing", _unix_ns(alert.startsAt)
        if not (self._begins(who, started) if fires else who in self._firing):
            return  # Alertmanager repeats what it has sent
        if self._written >= MAX_ALERTS:
            self._facts["left_out"] += 1
            return
        self._written += 1
        if fires:
            self._firing[who] = started
        else:
            del self._firing[who]
        labels = _labels(alert.labels)
        name = labels.get("alertname", "")
        self._write("alert", name=name, status=alert.status, labels=labels, starts_at=started, fingerprint=who)
        self._say(f"alert {name or who}: {alert.status}")

    def _begins(self, who: str, started: int | None) -> bool:
        """Whether it did not fire yet, or fires since later: it was resolved in between, and nobody sent that."""
        if who not in self._firing:
            return True
        before = self._firing[who]
        return started is not None and before is not None and started > before

    def _write(self, event_type: str, **fields: Any) -> None:
        try:
            self._events.write(event_type, **fields)
        except RecordFull as error:
            self._on_failure(error)


def _fingerprint(labels: Mapping[str, str]) -> str:
    return hashlib.blake2b(json.dumps(sorted(labels.items())).encode("ascii"), digest_size=16).hexdigest()


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    """At most `MAX_LABELS`, the name of the alert first, each bounded."""
    first = sorted(labels, key=lambda name: (name != "alertname", name))[:MAX_LABELS]
    return {_bounded(name): _bounded(labels[name]) for name in first}


def _bounded(text: str) -> str:
    return printable_line(text)[:MAX_TEXT]


def _unix_ns(text: str) -> int | None:
    """The time of RFC 3339 text, unix nanoseconds; None where it is no such time."""
    given = re.sub(r"(\.\d{6})\d+", r"\1", text)  # Go writes nanoseconds
    try:
        at = datetime.fromisoformat(given)
        return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1e9)
    except (ValueError, OverflowError):
        return None
