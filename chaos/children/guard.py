"""Who may use a control port: a process of this run, on this machine, and no page in somebody's browser.

A loopback port can be reached by any page the user has open. So the `Host` must be loopback by name (a rebound DNS
name is not), there must be no `Origin` (a browser sends one with every cross-site request that is not a plain GET), and
the run's token must be in a header of our own (a browser asks first before it sends one). `targets` keeps the same
rule in a copy of its own.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

__all__ = ["TOKEN_HEADER", "guard", "refusal"]

TOKEN_HEADER: Final = "X-Brownout-Token"

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)


def refusal(hosts: list[str], origins: list[str], tokens: list[str], token: str) -> tuple[int, str] | None:
    """Why a request with these header values is refused, as status and words; None if it is not.

    `token` is the run's; an empty one admits nobody.
    """
    if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]):
        return 403, "the Host must be 127.0.0.1, localhost or [::1]"
    if origins:
        return 403, "no page in a browser may call this"
    # aiohttp decodes what is no UTF-8 to surrogates, which a plain encode() chokes on.
    sent = tokens[0].encode(errors="surrogateescape") if len(tokens) == 1 else b""
    if not token or not hmac.compare_digest(sent, token.encode()):
        return 401, f"{TOKEN_HEADER} must carry the run's token"
    return None


def guard(token: str) -> Middleware:
    """The middleware that refuses with 401 or 403 and `{"error": ...}`, before the handler or the body is touched."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        refused = refusal(
            headers.getall("Host", []), headers.getall("Origin", []), headers.getall(TOKEN_HEADER, []), token
        )
        if refused:
            status, why = refused
            return web.json_response({"error": why}, status=status)
        return await handler(request)

    return check
