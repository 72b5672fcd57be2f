"""By which names browsers reach the pages: what `Host`, `Origin` and `Sec-Fetch-Site` may say.

A web page that somebody has open can send requests to this server, and a DNS name can be rebound to its address. So:

    Host             one of the names of this server; behind a proxy, that of the public URL alone
    Origin           if it is there, the scheme and the Host of this request; a POST must have it
    Sec-Fetch-Site   for data and actions: if it is there, `same-origin`, or `none` (typed by the user)

Headers of proxies (`X-Forwarded-Host` and so on) are ignored: anybody can send them. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

__all__ = ["Origins"]

_HOST: Final = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::(\d{1,5}))?", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Origins:
    """The names of one server.

    `public`: the origin of the public URL; then there is no other name. `names`: host names and IP addresses, with a
    leading `*.` for one label. Loopback names are always among them, with any port, because `ssh -L` changes the port.
    """

    def __init__(self, *, tls: bool, public: str | None = None, names: Sequence[str] = ()) -> None:
        self._scheme = public.partition("://")[0] if public is not None else "https" if tls else "http"
        self._public = public.partition("://")[2].lower() if public is not None else None
        self._names = {_plain(name) for name in (*_LOOPBACK, *names)}

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages by https."""
        return self._scheme == "https"

    def cookie(self, host: str) -> str:
        """The name of the session's cookie: cookies are shared by all ports of a host, so the port is in the name."""
        port = host.rpartition("]")[2].partition(":")[2] or ("443" if self.secure else "80")
        return f"__Host-brownout-gameday-{port}" if self.secure else f"brownout-gameday-{port}"

    def refusal(
        self, hosts: Sequence[str], origins: Sequence[str], sites: Sequence[str], *, post: bool, data: bool
    ) -> str | None:
        """Why a request is refused (403); None: it is allowed.

        `hosts`, `origins`, `sites`: all values of Host, Origin and Sec-Fetch-Site. `data`: data or an action, not a
        page that is the same for everybody.
        """
        if len(hosts) != 1 or not self._known(hosts[0]):
            return "this server has another name: use the link as it was printed (a proxy must pass on the Host header)"
        if post and not origins:
            return "a request that changes something needs the header Origin, which every browser sends"
        if origins and (len(origins) != 1 or not self._same(origins[0], hosts[0])):
            return "requests from other sites are refused; open the game day's own page"
        if data and sites and (len(sites) != 1 or sites[0] not in ("same-origin", "none")):
            return "requests from other sites are refused; open the game day's own page"
        return None

    def _known(self, host: str) -> bool:
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return False
        if self._public is not None:
            return self._without_default(host) == self._public
        name = _plain(found[1])
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names

    def _same(self, origin: str, host: str) -> bool:
        scheme, separator, rest = origin.lower().partition("://")
        return bool(separator) and scheme == self._scheme and self._without_default(rest) == self._without_default(host)

    def _without_default(self, host: str) -> str:
        return host.lower().removesuffix(":443" if self.secure else ":80")


def _plain(name: str) -> str:
    """A name in one spelling: lower case, an address without brackets and shortened."""
    name = name.lower().strip("[]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
