"""Who a call is billed to, as a server can tell: by its API key.

A load without a key of the user's sends `sk-brownout-<tenant>` or `sk-brownout-<tenant>.<tier>` (what follows the last
dot is the tier): it stands for the database of keys and plans that a provider looks up. Gateways pass the header on,
and replicas read it as well.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["KEY_PREFIX", "TIERS", "Account", "account_of", "key_of"]

KEY_PREFIX: Final = "sk-brownout-"
"""With what the keys begin that name a tenant; any other key names nobody."""

TIERS: Final = ("subscription", "pay_as_you_go", "batch")
"""The tiers, the one that is served first when there is not enough for all at the front."""


class Account(NamedTuple):
    """A tenant and its tier (its plan: `subscription`, `batch`, ...); each empty where it is not known."""

    tenant: str = ""
    tier: str = ""


def key_of(tenant: str, tier: str = "") -> str:
    """The API key that says whose call it is."""
    return f"{KEY_PREFIX}{tenant}.{tier}" if tier or "." in tenant else KEY_PREFIX + tenant


def account_of(authorization: str) -> Account:
    """Whose call it is, by its `Authorization` (with or without `Bearer`) or `x-api-key` header.

    Bytes that are no UTF-8 (surrogates, as servers decode them) are written out as escapes: a name can always be said.
    """
    authorization = authorization.encode("utf-8", "backslashreplace").decode()
    scheme, _, rest = authorization.partition(" ")
    key = rest.strip() if scheme.lower() == "bearer" else authorization.strip()
    if not key.startswith(KEY_PREFIX):
        return Account()
    tenant, _, tier = key.removeprefix(KEY_PREFIX).rpartition(".")
    return Account(tenant, tier) if tenant else Account(tier)
