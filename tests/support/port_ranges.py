"""Ports in a row for a run of a test, which nobody has claimed (`chaos.runner.ports.free_ports` claims its own)."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

__all__ = ["ports_in_a_row"]


def ports_in_a_row(count: int) -> int:
    """The first of so many free ports. Below the range of outgoing connections, so that they stay free."""
    while True:
        first = random.SystemRandom().randrange(12_000, 30_000)
        with ExitStack() as open_sockets:
            try:
                for port in range(first, first + count):
                    tried = open_sockets.enter_context(socket.socket())
                    tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
