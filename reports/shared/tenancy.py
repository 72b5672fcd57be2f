"""Tenant and tier of a request, by its API key.

A load without an API key of the user sends `sk-brownout-<tenant>` or `sk-brownout-<tenant>.<tier>`: the tier follows
the last dot. The key replaces a provider's database of keys and plans. Gateways forward the header, and replicas read
it too.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["KEY_PREFIX", "TIERS", "Account", "account_of", "key_of"]

KEY_PREFIX: Final = "sk-brownout-"
"""The prefix of keys that contain a tenant; any other key has none."""

TIERS: Final = ("subscription", "pay_as_you_go", "batch")
"""The tiers by priority: under overload, the first is served first."""


class Account(NamedTuple):
    """A tenant and its tier (its plan: `subscription`, `batch`, ...); each empty where it is not known."""

    tenant: str = ""
    tier: str = ""


def key_of(tenant: str, tier: str = "") -> str:
    """The API key for a tenant and tier."""
    return f"{KEY_PREFIX}{tenant}.{tier}" if tier or "." in tenant else KEY_PREFIX + tenant


def account_of(authorization: str) -> Account:
    """Tenant and tier from an `Authorization` (with or without `Bearer`) or `x-api-key` header.

    Bytes that are not UTF-8 (surrogates, as servers decode them) become escapes, so that the names can be printed.
    """
    authorization = authorization.encode("utf-8", "backslashreplace").decode()
    scheme, _, rest = authorization.partition(" ")
    key = rest.strip() if scheme.lower() == "bearer" else authorization.strip()
    if not key.startswith(KEY_PREFIX):
        return Account()
    tenant, _, tier = key.removeprefix(KEY_PREFIX).rpartition(".")
    return Account(tenant, tier) if tenant else Account(tier)
