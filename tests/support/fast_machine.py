"""The counters that the processes of a run post on a machine that is fast enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.otlp_values import ZERO_NS

if TYPE_CHECKING:
    from tests.support.record_builder import RecordBuilder

__all__ = ["add_counters"]

ON_TIME = {"token_lateness_ms": {"count": 0, "buckets": {"20": 0, "50": 0, "inf": 0}}}
LAST_S = 50.5
"""Seconds: the last posts, unless the record ends before."""


def add_counters(record: RecordBuilder) -> None:
    """Complete the posts of each process, and give two posts to a process that has none."""
    last = min(LAST_S, max(((event["at"] - ZERO_NS) / 1e9 for event in record.events), default=LAST_S))
    if not any(post["kind"] == "load" for post in record.gauges):
        for at in (4.5, 5.0, last):
            record.gauge("locust", at, kind="load", data={"load_started": ZERO_NS, "arrivals": 0}, cpu_s=at * 0.3)
    served = {instance.partition("#")[0] for _, instance in record.by_instance}
    for process in sorted(served - {"locust"} - {post["process"] for post in record.gauges}):
        for at in (5.5, last):
            record.gauge(process, at, kind="gateway" if process == "gateway" else "replica", data={})
    for number, post in enumerate(record.gauges):
        if post["kind"] == "replica":
            post["data"] = ON_TIME | post["data"]
        elif post["kind"] == "gateway" and not post["loop_ticks"]["all"]:
            post["loop_ticks"] = {"all": 100 * number, "late": 0}
