"""Where the pages are served: the address, the certificate, the public URL; and what is refused, with the remedy."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chaos.gameday.server.certificate import Certificate, load_certificate
from reports.shared.errors import UserError

__all__ = ["Serving"]

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the pages can be reached.

    `listen`: an IP address or `localhost`. `port` 0: any free one. `certificate`, `key`: PEM files; with them, the port
    speaks TLS. `public_url`: the address by which browsers reach a proxy in front of this server.
    """

    listen: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    public_url: str | None = None

    @property
    def address(self) -> str:
        """The IP address to listen on."""
        return "127.0.0.1" if self.listen.lower() == "localhost" else self.listen.strip("[]")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return ipaddress.ip_address(self.address).is_loopback

    def check(self) -> None:
        """Raises UserError for the first thing that is not possible."""
        self._check_address()
        self.load()
        if self.public_url is not None:
            self.public_origin()

    def load(self) -> Certificate | None:
        """The certificate with its key; None: the port speaks plain HTTP. Raises UserError."""
        if (self.certificate is None) != (self.key is None):
            given, missing = ("--certificate", "--key") if self.key is None else ("--key", "--certificate")
            raise UserError(f"{given} needs {missing} too: give the PEM file of each")
        if self.certificate is not None and self.key is not None:
            return load_certificate(self.certificate, self.key)
        if not self.is_loopback:
            raise UserError(
                f"--listen {self.listen} without a certificate: links and notes would cross the network unencrypted\n"
                "    give --certificate FILE and --key FILE, or listen on 127.0.0.1 behind a proxy with --public-url, "
                "or let people come by ssh -L"
            )
        return None

    def public_origin(self) -> str | None:
        """The origin of the public URL, without the scheme's default port; None: there is none. Raises UserError."""
        if self.public_url is None:
            return None
        right = "    give scheme and host, and a port if it is not the usual one: --public-url https://gameday.example"
        try:
            parts = urlsplit(self.public_url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or not self.public_url.isascii() or not self.public_url.isprintable() or " " in self.public_url:
            raise UserError(f"--public-url {self.public_url!r} is not the URL of a server\n{right}")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL_NAMES):
            raise UserError(f"--public-url must begin with https://, because cookies need it\n{right}")
        if parts.username is not None or parts.password is not None:
            raise UserError(f"--public-url must not hold a user or a password\n{right}")
        if parts.path not in ("", "/") or parts.query or parts.fragment or self.public_url.endswith(("?", "#")):
            raise UserError(f"--public-url must have no path, query or fragment: the pages are at the root\n{right}")
        name = f"[{host}]" if ":" in host else host
        if port == 0:
            raise UserError(f"--public-url has the port 0\n{right}")
        shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
        return f"{parts.scheme}://{name}{shown}"

    def _check_address(self) -> None:
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            raise UserError(
                f"--listen {self.listen}: give an IP address of this machine, 0.0.0.0 for all, or localhost"
            ) from None
        if not 0 <= self.port <= 65_535:
            raise UserError(f"port {self.port}: a port is a number from 1 to 65535; 0 takes any free one")
