"""Whatever bytes arrive: an answer of 2xx or 4xx, or the end of the connection; nothing is logged, nothing is held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.gameday.core.roles import Role
from chaos.gameday.server.page_server import PageServer
from chaos.gameday.server.serving import Serving
from reports.shared.control_port import TOKEN_HEADER
from tests.support.gameday_room import FakeRoom
from tests.support.gameday_server import TINY_PAGES
from tests.support.port_fuzz import FUZZ_LIMITS, TOKEN, LoopThread, check_answer, exchange, faults_logged, json_values
from tests.support.port_fuzz import requests as port_requests

PATHS = [
    ("POST", "/api/action"),
    ("POST", "/api/enter"),
    ("POST", "/api/leave"),
    ("GET", "/"),
    ("GET", "/static/app.js"),
]
ACTIONS = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {"key": st.one_of(st.uuids().map(str), json_values), "do": st.sampled_from(["note", "belief", "undo", "hint"])},
        optional={"text": json_values, "n": json_values, "arguments": json_values},
    ),
)


@pytest.fixture(scope="module")
def port() -> Iterator[tuple[int, bytes, LoopThread]]:
    """A port, the headers of somebody who entered, and the loop of the server."""
    with LoopThread() as thread:
        server = thread.call(lambda: PageServer(FakeRoom(), Serving(), TINY_PAGES, limits=FUZZ_LIMITS))
        thread.run(server.start())
        number = int(server.url.rpartition(":")[2])
        token = server.links[Role.AUDIENCE].partition("#t=")[2]
        secret, _ = thread.call(lambda: server.access.enter(token, "Eve", 0.0))
        headers = f"Origin: http://localhost\r\nCookie: brownout-gameday-80={secret}"
        yield number, headers.encode(), thread
        thread.run(server.close())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=port_requests(PATHS, ACTIONS, "application/json"))
def test_any_request_is_answered_or_dropped(port: tuple[int, bytes, LoopThread], request: tuple[bytes, bool]) -> None:
    number, headers, _ = port
    sent = request[0].replace(TOKEN_HEADER.encode() + b": " + TOKEN.encode(), headers)
    with faults_logged() as logged:
        check_answer(exchange(number, sent))
    assert [text for text in logged if "aiohttp" in text] == []
