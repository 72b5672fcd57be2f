"""The receiver of alerts, over real HTTP: it records changes of alerts, and refuses what is no alert."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chaos.runner.alert_receiver import MAX_ALERTS, MAX_LABELS, MAX_TEXT, AlertReceiver
from chaos.runner.record_writer import EventLog, RecordFull
from reports.record.lines import EVENTS, read_lines
from reports.shared.errors import TargetFailed

JSON = {"Content-Type": "application/json"}


def alert(name: str = "PoolDown", status: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "page"},
        "annotations": {"summary": "text"},
        "startsAt": "2026-01-02T03:04:05.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": f"print-{name}",
        **more,
    }


def message(*alerts: dict[str, Any]) -> bytes:
    return json.dumps({"version": "4", "groupKey": "{}", "status": "firing", "alerts": alerts}).encode()


class Receiving:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.failures: list[RecordFull] = []
        self.receiver = AlertReceiver(0, EventLog(folder / "events.jsonl"), self.said.append, self.failures.append)

    async def post(
        self, body: bytes, path: str = "/alerts", method: str = "POST", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        url = self.receiver.url + path
        given = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with aiohttp.ClientSession() as session, session.request(method, url, data=body, headers=given) as answer:
            return answer.status, await answer.json()

    def events(self, kind: str = "alert") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]
        return [line for line in lines if line["type"] == kind]


@pytest.fixture
async def receiving(tmp_path: Path) -> AsyncIterator[Receiving]:
    async with _receiving(tmp_path) as one:
        yield one


@asynccontextmanager
async def _receiving(folder: Path) -> AsyncIterator[Receiving]:
    one = Receiving(folder)
    await one.receiver.start()
    try:
        yield one
    finally:
        await one.receiver.close()


async def test_each_change_of_an_alert_is_one_event_and_a_repetition_is_none(receiving: Receiving) -> None:
    for status in ("firing", "firing", "resolved", "resolved", "firing"):
        assert await receiving.post(message(alert(status=status))) == (200, {})
    assert [event["status"] for event in receiving.events()] == ["firing", "resolved", "firing"]
    first = receiving.events()[0]
    del first["at"]
    assert first == {
        "type": "alert",
        "name": "PoolDown",
        "status": "firing",
        "labels": {"alertname": "PoolDown", "severity": "page"},
        "starts_at": 1767323045123456000,
        "fingerprint": "print-PoolDown",
    }
    assert receiving.said[1:] == ["alert PoolDown: firing", "alert PoolDown: resolved", "alert PoolDown: firing"]


async def test_an_alert_that_fires_since_later_has_fired_again(receiving: Receiving) -> None:
    """Its resolution was not sent: `send_resolved: false`, or an Alertmanager that was started again."""
    starts = (
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:05:00.5Z",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:05:00.5Z",
        "soon",
    )
    for start in starts:  # the older time is another Alertmanager's, which has not seen the resolution yet
        await receiving.post(message(alert(startsAt=start)))
    await receiving.post(message(alert(status="resolved", startsAt=starts[1])))
    assert [(event["status"], event["starts_at"]) for event in receiving.events()] == [
        ("firing", 1767323045000000000),
        ("firing", 1767323100500000000),
        ("resolved", 1767323100500000000),
    ]


async def test_a_group_has_several_alerts_and_the_path_and_other_fields_do_not_matter(receiving: Receiving) -> None:
    body = json.dumps({"alerts": [alert("a", fingerprint=""), alert("b", fingerprint="", startsAt="soon")]}).encode()
    assert await receiving.post(body, "/any/path?x=1") == (200, {})
    a, b = receiving.events()
    assert a["fingerprint"] != b["fingerprint"] != ""
    assert b["starts_at"] is None


@pytest.mark.parametrize(
    ("body", "options", "status", "why"),
    [
        (b"{", {}, 400, "Input data was truncated"),
        (b"[]", {}, 400, "Expected `object`, got `array`"),
        (b"{}", {}, 400, "missing required field `alerts`"),
        (message(alert(status="maybe")), {}, 400, "Invalid enum value 'maybe' - at `$.alerts[0].status`"),
        (message(alert(labels={"a": 1})), {}, 400, "Expected `str`, got `int` - at `$.alerts[0].labels[...]`"),
        (b"[" * 100_000, {}, 400, ""),
        (b" " * (1024 * 1024 + 1), {}, 413, "the body is larger than 1 MiB"),
        (message(), {"Content_Type": "text/html"}, 415, "send application/json"),
        (b"", {"method": "PUT"}, 405, "PUT is not allowed here; use POST"),
        (message(alert()), {"Origin": "http://evil.example"}, 403, "a web page sends them"),
        (message(alert()), {"Host": "evil.example"}, 403, "the Host header must be"),
    ],
)
async def test_what_is_no_alert_is_refused_with_a_reason(
    receiving: Receiving, body: bytes, options: dict[str, str], status: int, why: str
) -> None:
    got, answer = await receiving.post(body, **options)
    assert got == status
    assert why in answer["error"]
    assert receiving.events() == []


async def test_labels_and_alerts_are_bounded_and_the_rest_is_counted(tmp_path: Path) -> None:
    async with _receiving(tmp_path) as one:
        many = {"alertname": "x", **{f"a{n}": "v\x1b[31m" * 100 for n in range(100)}}
        await one.post(message(alert(labels=many)))
        (event,) = one.events()
        assert len(event["labels"]) == MAX_LABELS
        assert event["labels"]["alertname"] == "x"
        assert len(event["labels"]["a0"]) == MAX_TEXT
        assert "\x1b" not in event["labels"]["a0"]
        await one.post(message(*(alert(str(n)) for n in range(MAX_ALERTS + 4))))
        assert len(one.events()) == MAX_ALERTS
        await one.post(b"{")
    (opened, closed) = one.events("alert_port")
    assert opened["event"] == "opened"
    assert (closed["event"], closed["posts"], closed["refused"], closed["left_out"]) == ("closed", 2, 1, 5)


async def test_every_event_is_a_valid_line_of_the_record(tmp_path: Path) -> None:
    async with _receiving(tmp_path) as one:
        await one.post(message(alert(), alert("b", "resolved"), alert("c", startsAt="")))
    damage: list[Any] = []
    assert len(list(read_lines(tmp_path / "events.jsonl", EVENTS, damage))) == 4
    assert damage == []


async def test_a_connection_ends_with_its_answer_so_that_nobody_holds_the_port(receiving: Receiving) -> None:
    host, port = "127.0.0.1", int(receiving.receiver.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection(host, port)
    body = message(alert())
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    async with asyncio.timeout(5):
        answer = await reader.read()
    assert b"200 OK" in answer
    assert b"Connection: close" in answer
    writer.close()


async def test_a_port_in_use_is_named_with_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        receiver = AlertReceiver(port, EventLog(tmp_path / "events.jsonl"), print, print)
        with pytest.raises(TargetFailed, match=rf"port {port}: in use by process \d+ \(.*another port"):
            await receiver.start()
        await receiver.close()


async def test_a_full_disk_is_reported_and_the_answer_is_still_given(tmp_path: Path) -> None:
    class Full(EventLog):
        def write(self, event_type: str, /, *, at_ns: int | None = None, **fields: Any) -> int:
            if event_type == "alert":
                raise RecordFull("the disk is full")
            return super().write(event_type, at_ns=at_ns, **fields)

    async with _receiving(tmp_path) as one:
        one.receiver._events = Full(tmp_path / "events.jsonl")
        assert await one.post(message(alert())) == (200, {})
    assert [str(error) for error in one.failures] == ["the disk is full"]


async def test_without_a_port_nothing_listens_and_nothing_is_recorded(tmp_path: Path) -> None:
    receiver = AlertReceiver(None, EventLog(tmp_path / "events.jsonl"), print, print)
    await receiver.start()
    await receiver.close()
    assert (receiver.url, (tmp_path / "events.jsonl").read_text()) == ("", "")
