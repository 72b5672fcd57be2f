"""Accepts connections, with TLS or without. One counts as a stranger's from the moment it is accepted.

A TLS handshake that never ends thus has the time of a request, and makes room for newer ones, as every stranger does.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
from typing import Final

from chaos.runner.ports import holder
from reports.shared.bounded_server import BACKLOG, BoundedServer
from reports.shared.errors import UserError
from reports.shared.port_limits import Peer

__all__ = ["Acceptor", "listening"]

HANDSHAKE_S: Final = 10.0
SHUTDOWN_S: Final = 2.0
PAUSE_S: Final = 0.1
"""Before the next attempt, where this process has no free file descriptor."""


def listening(address: str, port: int) -> socket.socket:
    """A socket that listens. Raises UserError: it names the process that has the port already."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise UserError(_why_not(address, port, error)) from None
    return listener


def _why_not(address: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        process = holder(port)
        return (
            f"port {port} is in use{f' by {process}' if process else ''}\n"
            "    end that process (another game day ends by Ctrl-C), or choose another port with --port; 0 takes any"
        )
    if error.errno == errno.EACCES:
        return f"port {port}: only root may listen on it; choose a port from 1024"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--listen {address}: this machine does not have that address; ip address shows those it has"
    return f"cannot listen on {address}, port {port}: {error.strerror}"


class Acceptor:
    """Hands the connections of a listening socket to a server."""

    def __init__(self, listener: socket.socket, server: BoundedServer, context: ssl.SSLContext | None) -> None:
        self._listener = listener
        self._server = server
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._task = self._loop.create_task(self._accept())

    async def close(self) -> None:
        """Accept no more. Idempotent."""
        tasks = [self._task, *self._handshakes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            try:
                accepted, _ = await self._loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(PAUSE_S)
                continue
            task = self._loop.create_task(self._connect(accepted))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _connect(self, accepted: socket.socket) -> None:
        def drop() -> None:
            with contextlib.suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)

        peer = Peer(drop)
        self._server.admit(peer)
        limits = {} if self._context is None else {
            "ssl_handshake_timeout": HANDSHAKE_S, "ssl_shutdown_timeout": SHUTDOWN_S,
        }  # fmt: skip
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._server.connection(peer), accepted, ssl=self._context, **limits
            )
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError: not TLS, or a browser that does not trust us
            self._server.peers.forget(peer)
            accepted.close()
        except asyncio.CancelledError:
            self._server.peers.forget(peer)
            accepted.close()
            raise
