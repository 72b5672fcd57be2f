"""The record of a run with two tiers: a batch tenant that is shed and a subscriber that waits."""

from __future__ import annotations

from pathlib import Path

from tests.support.record_builder import RecordBuilder, Up, good_run

__all__ = ["two_tiers"]


def two_tiers(path: Path) -> RecordBuilder:
    """A good run with four more batch calls, all shed, and four more subscription calls that wait."""
    builder = good_run(path)
    builder.fault(hits=1)
    for index in range(4):
        at = 21.0 + index
        builder.call(f"b{index}", 0, at, outcome="rate_limited", ttft=None, ups=[], tenant="hooli", tier="batch")
        up = Up("gpu-0", at + 0.4, at + 1.2, passed_on=11, queue=[(at + 0.5, at + 0.8)])
        builder.call(f"w{index}", 0, at, ttft=1.0, tenant="globex", tier="subscription", ups=[up])
    return builder
