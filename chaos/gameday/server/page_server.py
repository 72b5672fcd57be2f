"""The server of one game day: it listens, prints links, and ends with a goodbye on every page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Final

from chaos.gameday.core.roles import Role
from chaos.gameday.server.acceptor import Acceptor, listening
from chaos.gameday.server.access import Access
from chaos.gameday.server.answers import failed
from chaos.gameday.server.certificate import Certificate
from chaos.gameday.server.origins import Origins
from chaos.gameday.server.pages import Pages
from chaos.gameday.server.room import Room
from chaos.gameday.server.routes import Routes
from chaos.gameday.server.serving import Serving
from chaos.gameday.server.streams import DRAIN_S, TICK_S, Pushes
from reports.shared.bounded_server import BoundedServer
from reports.shared.port_limits import PortLimits

__all__ = ["PAGE_LIMITS", "PageServer"]

PAGE_LIMITS: Final = PortLimits(request_s=10.0, idle_s=120.0, sweep_s=0.5, strangers=256, own=512)
FIELD_BYTES: Final = 16 * 1024
"""The longest header: a browser sends the cookies of every server on this host, whatever its port."""
_EVERY: Final = ("0.0.0.0", "::")
"""All addresses of this machine: no name by which it is reached."""
GOODBYE_S: Final = 2.0
"""How long the last answers may take when the server ends."""


class PageServer:
    """The pages of a `Room`. `links` and `url` are there after `start`. `limits`, `tick_s` and `drain_s`: for tests."""

    def __init__(
        self,
        room: Room,
        serving: Serving,
        pages: Pages,
        *,
        limits: PortLimits = PAGE_LIMITS,
        tick_s: float = TICK_S,
        drain_s: float = DRAIN_S,
    ) -> None:
        self._room = room
        self._serving = serving
        self._pages = pages
        self._limits = limits
        self._drain_s = drain_s
        self.access: Final = Access()
        self.pushes: Final = Pushes(room, tick_s)
        self._server: BoundedServer | None = None
        self._acceptor: Acceptor | None = None
        self._routes: Routes | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """Where browsers find the pages, such as `http://127.0.0.1:8800`; it ends without a slash."""
        return self._url

    @property
    def links(self) -> Mapping[Role, str]:
        """The link of each role. They hold the tokens: only for the terminal, never for a file of the record."""
        return {role: f"{self._url}/#t={token}" for role, token in self.access.tokens.items()}

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._server.peers) if self._server is not None else 0

    async def start(self) -> None:
        """Listen. Raises UserError: what is wrong with the address, the port or the certificate."""
        self._serving.check()
        certificate = self._serving.load()
        listener = listening(self._serving.address, self._serving.port)
        port = int(listener.getsockname()[1])
        public = self._serving.public_origin()
        names = self._names(certificate)
        origins = Origins(tls=certificate is not None, public=public, names=names)
        self._routes = routes = Routes(self._room, self._pages, self.access, origins, self.pushes, self._drain_s)
        self._url = public or f"{'https' if certificate else 'http'}://{_bracketed(self._host(certificate))}:{port}"
        self._server = BoundedServer(routes.answer, self._limits, failed, field_bytes=FIELD_BYTES)
        self._acceptor = Acceptor(listener, self._server, certificate.context if certificate else None)
        self.pushes.start()

    async def close(self) -> None:
        """Accept no more, say goodbye to every stream, and wait a moment for answers in progress. Idempotent."""
        acceptor, self._acceptor = self._acceptor, None
        server, self._server = self._server, None
        if acceptor is not None:
            await acceptor.close()
        await self.pushes.close()
        if server is not None:
            await asyncio.sleep(0)
            server.pre_shutdown()
            await server.shutdown(GOODBYE_S)
            server.end()
        if self._routes is not None:
            await self._routes.close()

    def _names(self, certificate: Certificate | None) -> tuple[str, ...]:
        named = certificate.names if certificate is not None else ()
        address = self._serving.address
        return named if address in _EVERY else (*named, address)

    def _host(self, certificate: Certificate | None) -> str:
        """The host for links: one that the certificate is for, if there is one."""
        address, names = self._serving.address, certificate.names if certificate is not None else ()
        if address in names or self._serving.is_loopback:
            return address
        fitting = [name for name in names if not name.startswith("*.")]
        return fitting[0] if fitting else socket.gethostname() if address in _EVERY else address


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
