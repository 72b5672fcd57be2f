"""The limit on migrations of one stream (NVIDIA Dynamo). Migrations are outside the retry budget: when a third of the
fleet fails, they exceed its 20 %."""

from __future__ import annotations

from targets.gateway.config import Migration

__all__ = ["why_no_migration"]


def why_no_migration(config: Migration | None, migrations: int) -> str | None:
    """Returns why a stream with so many migrations may not migrate again, or None if it may."""
    if config is None:
        return "the client already has tokens, and migration is off"
    if migrations >= config.max_per_call:
        return f"migrated {migrations} times already"
    return None
