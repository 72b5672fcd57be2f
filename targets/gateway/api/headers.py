"""Which headers go through: all that are end to end (RFC 9110, 7.6.1).

The body goes on decompressed, so its `Content-Encoding` does not.
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
"""Of an answer that is less than was asked: in what (`docs/wire.md`)."""
_NOBODY = Account()
_TO_CLIENT = ("Content-Type", "Retry-After", "x-request-id", "request-id")


def for_upstream(headers: Mapping[str, str]) -> dict[str, str]:
    """The client's headers for a replica, names in lower case. No compression: events must come as they are made."""
    kept: dict[str, str] = {}
    for_this_hop: list[str] = []
    for name, value in headers.items():
        name = name.lower()  # one spelling each: what tracing puts in must replace a `Traceparent` of the client's
        if name == "connection":
            for_this_hop += value.lower().split(",")
        elif name not in _HOP_BY_HOP:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    for named in for_this_hop:
        kept.pop(named.strip(), None)
    kept["accept-encoding"] = "identity"
    return kept


def account(headers: Mapping[str, str]) -> Account:
    """Whose request it is, by the key in its headers (names in lower case); empty where none names a tenant."""
    for name in ("authorization", "x-api-key"):
        value = headers.get(name)
        if value and (found := account_of(value)).tenant:
            return found
    return _NOBODY


def for_client(headers: Mapping[str, str]) -> dict[str, str]:
    """A replica's headers for the client."""
    return {name: headers[name] for name in _TO_CLIENT if name in headers}


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds; a date, or anything else that is not a number, counts as absent."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < 86_400.0 else None
