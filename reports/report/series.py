"""The timeline of a run, for the charts: one list per series, one entry per second since the start of the load.

Calls count in the second they were sent, tokens in the second they arrived (without a chunk log: in the second their
call ended), errors in the second the attempt or call ended. A gauge has the last value posted in the second.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np

from reports.history.evidence import Evidence
from reports.history.statistics import FloatArray, IntArray, percentile
from reports.report.pressure import pressure
from reports.shared import attributes as names
from reports.shared.attributes import SessionOutcome

__all__ = ["health_changes", "seconds_of", "series"]


def seconds_of(evidence: Evidence) -> int:
    """Length of the series, seconds: up to the end of the last call or phase; from 1 to 86,400."""
    last = float(evidence.columns.end.max()) if evidence.columns.end.size else 0.0
    return max(
        1, min(86_400, math.ceil(max(last, evidence.record.phases[-1].end_s if evidence.record.phases else 0.0)))
    )


def series(evidence: Evidence) -> dict[str, Any]:
    """All series of a run, ready for JSON. null: no value in that second."""
    size, columns = seconds_of(evidence), evidence.columns

    def per_second(at: FloatArray, weights: FloatArray | None = None) -> list[float]:
        index = np.clip(np.floor(at).astype(np.int64), 0, size - 1)
        counts = np.bincount(index, weights=weights, minlength=size)
        return [round(float(value), 3) for value in counts]

    failed = ~columns.ok
    p50, p95 = _ttft(columns.sent, columns.ttft, size)
    return {
        "seconds": size,
        "offered": per_second(columns.sent),
        "ok": per_second(columns.sent[columns.ok]),
        "good": per_second(columns.sent[columns.good]),
        "failed": per_second(columns.end[failed]),
        "goodput_tokens": _tokens(evidence, size),
        "ttft_p50_s": p50,
        "ttft_p95_s": p95,
        "errors": _errors(evidence, size),
        "sessions_started": per_second(np.array([s.start_s for s in evidence.calls.sessions])),
        "sessions_lost": per_second(
            np.array([s.end_s for s in evidence.calls.sessions if s.outcome == SessionOutcome.LOST])
        ),
        "sessions_running": _running(evidence, size),
        "replicas": _replicas(evidence, size),
        "gateway": _gateway(evidence, size),
        "loadgen_cpu": _cpu(evidence, size),
        **pressure(evidence, size),
    }


def health_changes(evidence: Evidence) -> list[dict[str, Any]]:
    """Each change of a replica's health at the gateway: [{at_s, replica, pool, transition, why}]."""
    pool_of = {replica.name: replica.pool for replica in evidence.record.replicas}
    return [
        {
            "at_s": evidence.record.seconds(span.start_ns),
            "replica": str(span.attributes.get(names.REPLICA, "")),
            "pool": pool_of.get(str(span.attributes.get(names.REPLICA, "")), str(span.attributes.get(names.POOL, ""))),
            "transition": str(span.attributes.get(names.TRANSITION, "")),
            "why": str(span.attributes.get(names.TRANSITION_WHY, "")),
        }
        for span in evidence.calls.transitions
    ]


def _ttft(sent: FloatArray, ttft: FloatArray, size: int) -> tuple[list[float | None], list[float | None]]:
    """p50 and p95 by second, of the calls that received a token; None without any."""
    p50: list[float | None] = [None] * size
    p95: list[float | None] = [None] * size
    known = np.isfinite(ttft)
    second: IntArray = np.clip(np.floor(sent[known]), 0, size - 1).astype(np.int64)
    values = ttft[known]
    for at in np.unique(second):
        within = values[second == at]
        p50[at], p95[at] = round(percentile(within, 0.5), 6), round(percentile(within, 0.95), 6)
    return p50, p95


def _tokens(evidence: Evidence, size: int) -> list[float]:
    """Tokens of good calls, by the second in which the client received them."""
    total = [0.0] * size
    for call in evidence.calls.calls:
        if not call.good:
            continue
        chunks = call.client_attempts[-1].chunks if call.client_attempts else []
        for at, tokens in chunks or [(call.end_s, call.tokens)]:
            total[min(size - 1, max(0, int(at)))] += tokens
    return total


def _errors(evidence: Evidence, size: int) -> list[dict[str, Any]]:
    """Failures: attempts upstream by pool and outcome, and calls of the client by outcome."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * size)
    for call in evidence.calls.calls:
        if not call.ok:
            found["client", "", call.outcome][min(size - 1, max(0, int(call.end_s)))] += 1
        for attempt in call.attempts:
            if attempt.outcome and not attempt.ok:
                found["upstream", attempt.pool, attempt.outcome][min(size - 1, max(0, int(attempt.end_s)))] += 1
    return [
        {"at": at, "pool": pool, "outcome": outcome, "counts": counts}
        for (at, pool, outcome), counts in sorted(found.items())
    ]


def _running(evidence: Evidence, size: int) -> list[int]:
    """Sessions running, by second."""
    change = [0] * (size + 1)
    for session in evidence.calls.sessions:
        change[min(size, max(0, int(session.start_s)))] += 1
        change[min(size, max(0, int(session.end_s) + 1))] -= 1
    running, counts = 0, []
    for step in change[:size]:
        running += step
        counts.append(running)
    return counts


def _replicas(evidence: Evidence, size: int) -> dict[str, dict[str, Any]]:
    """By replica: batch, queue and KV cache, and its state at the gateway."""
    pool_of = {replica.name: replica.pool for replica in evidence.record.replicas}
    found: dict[str, dict[str, Any]] = {}

    def row(name: str, pool: str) -> dict[str, Any]:
        empty = {
            key: [None] * size for key in ("running", "waiting", "kv_used_share", "breaker", "ejected", "in_flight")
        }
        return found.setdefault(name, {"pool": pool, **empty})

    for post in evidence.record.gauges:
        second, data = int(post.at_s), post.data
        if not 0 <= second < size:
            continue
        if post.kind == "replica":
            values = row(post.process, pool_of.get(post.process, ""))
            values["running"][second], values["waiting"][second] = data.get("running"), data.get("waiting")
            if data.get("kv_total"):
                values["kv_used_share"][second] = round(float(data.get("kv_used") or 0) / float(data["kv_total"]), 4)
        elif isinstance(data.get("replicas"), dict):
            for name, state in data["replicas"].items():
                values = row(str(name), str(state.get("pool", pool_of.get(str(name), ""))))
                values["breaker"][second] = state.get("breaker")
                values["ejected"][second] = state.get("ejected")
                values["in_flight"][second] = state.get("in_flight")
    return dict(sorted(found.items()))


def _gateway(evidence: Evidence, size: int) -> dict[str, list[Any]]:
    """The counters of the gateway and the lag of its event loop."""
    keys = ("requests", "attempts", "migrations", "retries", "refused", "panic")
    found: dict[str, list[Any]] = {key: [None] * size for key in (*keys, "loop_lag_s")}
    for post in evidence.record.gauges:
        second = int(post.at_s)
        if isinstance(post.data.get("replicas"), dict) and 0 <= second < size:
            for key in keys:
                found[key][second] = post.data.get(key)
            found["loop_lag_s"][second] = max(post.loop_lag_s, found["loop_lag_s"][second] or 0.0)
    return found


def _cpu(evidence: Evidence, size: int) -> list[float | None]:
    """Share of a core used by the busiest process of the load generator, by second."""
    found: list[float | None] = [None] * size
    before: dict[str, tuple[int, float, float]] = {}
    for post in evidence.record.gauges:
        if "arrivals" not in post.data:
            continue
        second = int(post.at_s)
        last = before.get(post.instance)
        if last is not None and last[0] == second:
            continue
        if last is not None and 0 <= last[0] < size and post.at_s > last[1]:
            share = round((post.cpu_s - last[2]) / (post.at_s - last[1]), 4)
            found[last[0]] = max(share, found[last[0]] or 0.0)
        before[post.instance] = (second, post.at_s, post.cpu_s)
    return found
