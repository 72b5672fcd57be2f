"""At which addresses other machines can reach a port or a process."""

from __future__ import annotations

import os
import socket

from chaos.runner.listening import beyond_loopback, port_beyond_loopback


def test_a_port_is_named_with_each_address_at_which_other_machines_can_reach_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("0.0.0.0", 0)) as exposed:
        port = exposed.getsockname()[1]
        assert port_beyond_loopback(port) == [f"0.0.0.0:{port}"]
        assert port_beyond_loopback(own.getsockname()[1]) == []
        assert f"0.0.0.0:{port}" in beyond_loopback([os.getpid()])
    assert port_beyond_loopback(port) == []
