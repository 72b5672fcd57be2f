"""The fixed limit."""

from __future__ import annotations

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.fixed import FixedLimit


def test_a_fixed_limit_never_changes() -> None:
    limit = FixedLimit(Concurrency(kind="fixed", initial=30))
    limit.sample(0.0, 99.0, 30, True)
    assert limit.places == 30
