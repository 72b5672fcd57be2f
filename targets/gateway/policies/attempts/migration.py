"""How often a stream may move to another replica (NVIDIA Dynamo's limit). Migrations are outside the retry budget: a
third of a fleet is more than 20 %."""

from __future__ import annotations

from targets.gateway.config import Migration

__all__ = ["refuses"]


def refuses(config: Migration | None, migrations: int) -> str | None:
    """Why a stream that moved `migrations` times already may not move again, or None."""
    if config is None:
        return "the client has tokens, and migration is off"
    if migrations >= config.max_per_call:
        return f"migrated {migrations} times already"
    return None
