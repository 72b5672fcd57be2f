"""The limit on migrations of one stream."""

from __future__ import annotations

from targets.gateway.config import Migration
from targets.gateway.policies.attempts.migration import why_no_migration


def test_a_stream_migrates_at_most_max_per_call_times() -> None:
    assert why_no_migration(Migration(3), 2) is None
    assert why_no_migration(Migration(3), 3) == "migrated 3 times already"
    assert why_no_migration(None, 0) is not None
