from __future__ import annotations

import socket
import time

import gevent
import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import request_head
from loadprofiles.client.endpoint import parse_endpoint
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from reports.shared.errors import UserError
from tests.support.client_calls import PIECES, a_call
from tests.support.scripted_server import ScriptedServer, openai_events, streamed


def test_connections_are_reused_and_many_calls_run_concurrently() -> None:
    with ScriptedServer(streamed(openai_events(PIECES), gap_s=0.005)) as server:
        client = Client(ClientOptions(server.url, "m", provable=True))

        def one() -> CallRecord:
            return client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s())

        for _ in range(3):
            assert one().ok
        assert server.connections == 1
        jobs = [gevent.spawn(one) for _ in range(30)]
        gevent.joinall(jobs)
        assert all(job.get().ok for job in jobs)
        assert 1 < server.connections <= 30
        client.close()


def test_an_idle_connection_that_the_peer_closed_is_not_reused() -> None:
    def once(sock: socket.socket) -> None:
        streamed(openai_events(PIECES))(sock)
        sock.shutdown(socket.SHUT_RDWR)

    with ScriptedServer(once) as server:
        client = Client(ClientOptions(server.url, "m", retries="none"))
        for _ in range(2):
            assert client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s()).ok
            deadline = time.monotonic() + 5
            while client._connections._idle[0].alive() and time.monotonic() < deadline:
                gevent.sleep(0.005)
        assert server.connections == 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80", "http://localhost:1/v1", "http://[::1]:8000/", "http://127.9.9.9"]
)
def test_loopback_is_always_allowed(url: str) -> None:
    assert parse_endpoint(url, allow_remote=False).base_path == "/v1"


@pytest.mark.parametrize("url", ["http://10.0.0.1", "https://api.example.com/v1", "http://localhost.example.com"])
def test_other_hosts_need_permission(url: str) -> None:
    with pytest.raises(UserError, match="--yes-i-may"):
        parse_endpoint(url, allow_remote=False)
    assert parse_endpoint(url, allow_remote=True).host in url


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x", "http://u:p@127.0.0.1"]
)
def test_an_invalid_url_is_rejected(url: str) -> None:
    with pytest.raises(UserError):
        parse_endpoint(url, allow_remote=True)


def test_a_request_head_names_host_port_and_headers() -> None:
    head = request_head(parse_endpoint("http://[::1]:8000", False), "/messages", [("x-api-key", "k")])
    assert head.startswith(b"POST /v1/messages HTTP/1.1\r\nHost: [::1]:8000\r\n")
    assert head.endswith(b"x-api-key: k\r\n")
    with pytest.raises(UserError, match="value of header x-api-key"):
        request_head(parse_endpoint("http://127.0.0.1", False), "/messages", [("x-api-key", "a\r\nb: c")])
