"""The panic threshold."""

from __future__ import annotations

from targets.gateway.config import Panic
from targets.gateway.policies.health.panic import is_panic


def test_panic_starts_above_the_threshold_only() -> None:
    assert not is_panic(Panic(0.5), 3, 6)
    assert is_panic(Panic(0.5), 4, 6)
    assert not is_panic(None, 6, 6)
