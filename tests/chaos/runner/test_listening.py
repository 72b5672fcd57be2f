"""A gateway that died is told from one that is slow by whether its port refuses connections."""

from __future__ import annotations

import socket

from chaos.runner.listening import refuses_connections


def test_a_port_on_which_nothing_listens_refuses_connections() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        assert refuses_connections(f"http://127.0.0.1:{held.getsockname()[1]}/v1")


def test_a_server_that_listens_and_says_nothing_refuses_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not refuses_connections(f"http://127.0.0.1:{server.getsockname()[1]}/v1")


def test_a_host_that_cannot_be_found_refuses_none() -> None:
    assert not refuses_connections("http://no-such-host.invalid")
