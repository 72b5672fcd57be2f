"""Whether a port refuses connections, and at which addresses other machines can reach a port or a process."""

from __future__ import annotations

import os
import socket

from chaos.runner.listening import beyond_loopback, port_beyond_loopback, refuses_connections


def test_a_port_is_named_with_each_address_at_which_other_machines_can_reach_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("0.0.0.0", 0)) as exposed:
        port = exposed.getsockname()[1]
        assert port_beyond_loopback(port) == [f"0.0.0.0:{port}"]
        assert port_beyond_loopback(own.getsockname()[1]) == []
        assert f"0.0.0.0:{port}" in beyond_loopback([os.getpid()])
    assert port_beyond_loopback(port) == []


def test_a_port_on_which_nothing_listens_refuses_connections() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        assert refuses_connections(f"http://127.0.0.1:{held.getsockname()[1]}/v1")


def test_a_server_that_listens_and_says_nothing_refuses_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not refuses_connections(f"http://127.0.0.1:{server.getsockname()[1]}/v1")


def test_a_host_that_cannot_be_found_refuses_none() -> None:
    assert not refuses_connections("http://no-such-host.invalid")
