"""Records that tests of several measures share."""

from __future__ import annotations

from tests.support.record_builder import RecordBuilder, Up, migrated

__all__ = [
    "LATE_TTFT_S",
    "add_calls_of_tenant",
    "add_degraded_service",
    "add_failovers",
    "add_replica_post",
    "add_session_of_three",
]

LATE_TTFT_S = 3.0
"""Seconds to the first token, beyond the objective of 2 s."""


def add_failovers(record: RecordBuilder) -> RecordBuilder:
    """Ten calls that met the fault: gaps of 0.2, 0.4, ... 1.8 s, and one that was lost."""
    record.fault()
    for index in range(1, 10):
        ups = migrated(20.01, resumed=19.94 + index / 5, sent=19.4, passed_on=3)
        record.call(f"m{index}", 0, 19.4, gaps={3: index / 5}, ups=ups)
        record.session(f"m{index}", 19.4, 24.0)
    lost = [Up("tpu-1", 19.401, 20.01, "reset", passed_on=3, replica_span=False)]
    record.call("m10", 0, 19.4, tokens=3, outcome="truncated", ups=lost)
    record.session("m10", 19.4, 20.01, "lost")
    return record


def add_degraded_service(record: RecordBuilder, until: float) -> None:
    """Twenty calls per second from 5 to 51 s; from 20 s to `until`, half of them fail."""
    for tick in range(5 * 20, 51 * 20):
        at = tick / 20 + 0.001
        bad = 20.0 <= at < until and tick % 2 == 0
        record.call(f"s{tick}", 0, at, tokens=2, ttft=0.01, outcome="http_5xx" if bad else "ok")


def add_calls_of_tenant(
    record: RecordBuilder, tenant: str, at: float, good: int, late: int = 0, tier: str = ""
) -> None:
    """Calls of a tenant, each of its own session; the `late` ones miss the objective."""
    for index in range(good + late):
        ttft = 0.5 if index < good else LATE_TTFT_S
        record.call(f"{tenant}-{at}-{index}", 0, at + index * 0.01, ttft=ttft, tenant=tenant, tier=tier)


def add_replica_post(
    record: RecordBuilder, replica: str, at: float, running: int, waiting: int = 0, used: int = 10
) -> None:
    """A post of a replica's counters; `used` of its 100 KV blocks are in use."""
    data = {"running": running, "waiting": waiting, "kv_used": used, "kv_total": 100}
    record.gauge(replica, at, kind="replica", data=data)


def add_session_of_three(record: RecordBuilder, name: str, start: float, computed: tuple[int, int, int]) -> None:
    """A session of three calls with prompts of 200, 260 and 330 tokens and answers of 11; `computed`: the prefill."""
    for turn, (prompt, work) in enumerate(zip((200, 260, 330), computed, strict=True)):
        up = Up("gpu-0", start + turn, start + turn + 0.7, passed_on=11, prompt=prompt, computed=work)
        record.call(name, turn, start + turn, ups=[up])
