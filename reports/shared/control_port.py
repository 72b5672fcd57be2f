"""The check that protects control ports: only processes of this run on this machine may use them, no web page.

A web page that the user has open can reach a loopback port. Three checks refuse it:

    Host      must be a loopback address or `localhost` (a DNS name that was rebound to loopback is refused)
    Origin    must be absent (a browser sends it with each cross-site request that is not a plain GET)
    token     the run's token in a custom header (a browser sends a preflight request first)

The same check for every control port: replicas, gateway, collector. Imports the standard library only, because the
shepherd uses it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Final

__all__ = ["TOKEN_HEADER", "refusal"]

TOKEN_HEADER: Final = "X-Brownout-Token"
"""The request header that carries the run's token."""

_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)


def refusal(
    hosts: Sequence[str], origins: Sequence[str], tokens: Sequence[str], token: str | None
) -> tuple[int, str] | None:
    """HTTP status and reason of a refused request; None: the request is allowed.

    `hosts`, `origins`, `tokens`: all values of the headers Host, Origin and `TOKEN_HEADER` of the request. `token`: the
    run's token; where it is empty, every request is refused. None: the port wants no token.
    """
    if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]):
        return 403, "the Host header must be 127.0.0.1, localhost or [::1]"
    if origins:
        return 403, "requests with an Origin header are refused, because a web page sends them"
    if token is None:
        return None
    # aiohttp decodes bytes that are not UTF-8 to surrogates, which a plain encode() cannot encode.
    sent = tokens[0].encode(errors="surrogateescape") if len(tokens) == 1 else b""
    if not token or not hmac.compare_digest(sent, token.encode()):
        return 401, f"the header {TOKEN_HEADER} is missing, or is not the run's token"
    return None
