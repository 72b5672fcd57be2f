"""The four kinds of client that `bench.loadgen` compares: the same calls, each kind in a separate process."""

from __future__ import annotations

# First: importing Locust monkey-patches the process, as in every run.
from locust.env import Environment  # isort: skip

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import gevent
from geventhttpclient import HTTPClient

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s, unix_ns
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from loadprofiles.player.counters import Counters
from loadprofiles.player.load_config import Slo
from loadprofiles.player.player import Player
from loadprofiles.sessions.session import Call, CallResult, Done, Message, SessionPlan, Step
from reports.shared.tokens import Marker, marker_text

__all__ = ["measure"]

WARM_UP = 0.1
"""Share of the calls that all users make before the measurement."""

_SYSTEM = Message("system", "You are a coding agent. " * 80)
_TOKEN = "bench"


def measure(kind: str, url: str, calls: int, users: int, chunks: int) -> dict[str, Any]:
    """Make the calls with one kind of client. Returns CPU microseconds per call, and spans exported."""
    per_user = max(calls // users, 1)
    spans: list[int] = []
    flush = _trace(url) if kind == "traced" else None
    run: Callable[[str, int], None]
    if kind == "bare":
        clients = [HTTPClient.from_url(url, concurrency=1, network_timeout=60) for _ in range(users)]

        def run(tag: str, each: int) -> None:
            _concurrently([partial(_bare, c, f"{tag}-{user}", each, chunks) for user, c in enumerate(clients)])

    elif kind == "client":
        client = Client(ClientOptions(url, "m", provable=True))

        def run(tag: str, each: int) -> None:
            _concurrently([partial(_client, client, f"{tag}-{user}", each, chunks) for user in range(users)])

    else:
        client = Client(ClientOptions(url, "m", provable=True))
        environment = Environment()
        environment.create_local_runner()

        def run(tag: str, each: int) -> None:
            _played(client, environment, tag, users, each, chunks)

    run("warm", max(int(per_user * WARM_UP), 1))
    if flush is not None:
        flush()
    before = time.process_time()
    run("run", per_user)
    if flush is not None:
        spans.append(flush())
    spent_s = time.process_time() - before
    total = per_user * users
    return {"kind": kind, "calls": total, "us_per_call": spent_s / total * 1e6, "spans": sum(spans)}


def _call(session: str, turn: int, chunks: int) -> Call:
    marker = Marker(session, "main", turn)
    return Call("main", turn, (_SYSTEM, Message("user", "Go on. " + marker_text(marker))), chunks, False, marker, True)


def _concurrently(jobs: Sequence[Callable[[], None]]) -> None:
    greenlets = [gevent.spawn(job) for job in jobs]
    gevent.joinall(greenlets, raise_error=True)


def _bare(client: Any, session: str, calls: int, chunks: int) -> None:
    """Only read the stream. The request body is encoded once."""
    from loadprofiles.client.openai_wire import OpenAIWire
    from loadprofiles.client.wire import RequestFields

    wire, call = OpenAIWire(), _call(session, 0, chunks)
    body = wire.encode_body(
        call, [wire.encode_message(message) for message in call.messages], RequestFields("m"), session
    )
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    for _ in range(calls):
        response = client.request("POST", "/v1/chat/completions", body=body, headers=headers)
        readline = response.readline
        lines = 0
        while readline(b"\n"):
            lines += 1
        assert lines >= 2 * chunks, f"{lines} lines"


def _client(client: Client, session: str, calls: int, chunks: int) -> None:
    context = AgentContext(session, "main", None, 7)
    for turn in range(calls):
        record = client.call(_call(session, turn, chunks), context, now_s())
        assert record.ok, record.outcome


class _Agent:
    """An agent that makes `calls` calls in sequence."""

    id = "main"

    def __init__(self, session: str, calls: int, chunks: int) -> None:
        self._steps = (_call(session, turn, chunks) for turn in range(calls))

    def next(self, now: float, last: CallResult | None) -> Step:
        assert last is None or last.ok, last
        return next(self._steps, Done(True))


def _played(client: Client, environment: Any, tag: str, users: int, each: int, chunks: int) -> None:
    """The player as in a run: with counters, and Locust's statistics of every call."""
    fire = environment.events.request.fire

    def report(record: CallRecord) -> None:
        fire(
            request_type="POST",
            name="/v1/chat/completions",
            response_time=record.e2e_s * 1000,
            response_length=len(record.answer.text) if record.answer is not None else 0,
            exception=None,
            context={},
            start_time=unix_ns(record.sent_s) / 1e9,
            url="/v1/chat/completions",
        )
        environment.stats.get("/v1/chat/completions", "TTFT").log((record.ttft_s or 0) * 1000, 0)

    def plans() -> Iterator[SessionPlan]:
        for user in range(users):
            session = f"{tag}-{user}"
            yield SessionPlan(user, session, None, 0.0, each, _Agent(session, each, chunks))

    player = Player(
        plans(),
        client,
        Counters(Slo(2.0, 0.1)),
        profile="bench",
        agent_name="bench",
        seed=7,
        horizon_s=3600,
        on_call=report,
    )
    player.start()
    player.wait()
    assert player.counters.calls_ok == users * each, player.counters.snapshot(player)


def _trace(url: str) -> Callable[[], int]:
    """Set up tracing as in a run. Returns a function that flushes and returns the spans ended since the last flush."""
    from chaos.children.telemetry import set_up

    provider, count = set_up("brownout-loadgen", "locust", 1, url, _TOKEN, 0.5)
    flushed = 0

    def flush() -> int:
        nonlocal flushed
        provider.force_flush()
        ended, flushed = count.ended - flushed, count.ended
        return ended

    return flush
