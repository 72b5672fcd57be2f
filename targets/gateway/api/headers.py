"""Which headers are forwarded: all end-to-end headers (RFC 9110, 7.6.1).

`Content-Encoding` is not, because the body is forwarded decompressed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reports.shared.tenancy import Account, account_of

__all__ = ["DEGRADED", "account", "for_client", "for_upstream", "retry_after_s"]

_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length", "accept-encoding",
        "content-encoding", "expect",
    }
)  # fmt: skip
DEGRADED: Final = "X-Brownout-Degraded"
"""Header of a degraded response: what was reduced (`docs/wire.md`)."""
_NO_ACCOUNT = Account()
_TO_CLIENT = ("Content-Type", "Retry-After", "x-request-id", "request-id")


def for_upstream(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the client's headers for a replica, names in lower case. No compression, which would delay events."""
    kept: dict[str, str] = {}
    for_this_hop: list[str] = []
    for name, value in headers.items():
        name = name.lower()  # one spelling each, so that the span's own traceparent replaces a `Traceparent`
        if name == "connection":
            for_this_hop += value.lower().split(",")
        elif name not in _HOP_BY_HOP:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    for named in for_this_hop:
        kept.pop(named.strip(), None)
    kept["accept-encoding"] = "identity"
    return kept


def account(headers: Mapping[str, str]) -> Account:
    """Returns the account of the API key in the headers (names in lower case); empty if no key names a tenant."""
    for name in ("authorization", "x-api-key"):
        value = headers.get(name)
        if value and (found := account_of(value)).tenant:
            return found
    return _NO_ACCOUNT


def for_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns a replica's headers for the client."""
    return {name: headers[name] for name in _TO_CLIENT if name in headers}


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Returns `Retry-After` in seconds; None if it is absent, a date, or not a number."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < 86_400.0 else None
