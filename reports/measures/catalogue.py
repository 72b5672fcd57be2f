"""The specification of each measure, a plain dict. Imports no arrays, so that a command line can use it.

`docs/measures.md` has the definitions, `reports.measures.registry` the functions.
"""

from __future__ import annotations

import math
from typing import Final

from reports.measures.spec import Better, MeasureSpec
from reports.measures.value_range import ValueRange
from reports.shared.thresholds import WINDOW_S

__all__ = ["CATALOGUE"]

_TENANT: Final = ("tenant", "tier")
_ALL: Final = ("pool", *_TENANT)


_MORE_THAN_0: Final = ValueRange(0, above=True)
_YES_OR_NO: Final = ValueRange(0, 1, step=1)


def _latency(name: str, title: str, values: ValueRange | None = None) -> MeasureSpec:
    return MeasureSpec(
        name, "percentile", "s", title, ("p*", "max"), None, where=_ALL, samples="calls", latency=True, values=values
    )


def _count(name: str, title: str, *, zero_when_well: bool = True, better: Better = "lower") -> MeasureSpec:
    return MeasureSpec(name, "fact", "count", title, where=_ALL, zero_when_well=zero_when_well, better=better)


_TO_GATEWAY: Final = ("loadgen", "gateway")
_TO_REPLICA: Final = ("loadgen", "gateway", "replica")

_SPECS: Final = (
    # calls
    _latency("ttft", "time to first token", _MORE_THAN_0),
    _latency("itl", "gap between tokens"),
    _latency("max_gap", "longest stall of a call"),
    _latency("tpot", "time per output token"),
    _latency("e2e", "call sent to last byte", _MORE_THAN_0),
    _latency("effective", "call scheduled to last byte", _MORE_THAN_0),
    _count("calls", "calls offered", zero_when_well=False, better="neither"),
    _count("calls_ok", "calls that ended ok", zero_when_well=False, better="higher"),
    _count("calls_failed", "calls that did not end ok"),
    MeasureSpec(
        "error_rate", "rate", "share", "calls that did not end ok", where=_ALL, samples="calls", zero_when_well=True
    ),
    # sessions
    MeasureSpec(
        "sessions", "fact", "count", "sessions", where=_TENANT, sessions=True, of_starts=True, better="neither"
    ),
    MeasureSpec(
        "sessions_lost",
        "fact",
        "count",
        "sessions lost",
        where=_TENANT,
        sessions=True,
        zero_when_well=True,
        of_starts=True,
    ),
    MeasureSpec(
        "unfinished",
        "fact",
        "count",
        "sessions still running at the end",
        where=_TENANT,
        zero_when_well=True,
        of_starts=True,
    ),
    MeasureSpec(
        "session_success",
        "rate",
        "share",
        "sessions that succeeded",
        where=_TENANT,
        samples="sessions",
        sessions=True,
        of_starts=True,
        better="higher",
    ),
    MeasureSpec(
        "session_time",
        "percentile",
        "s",
        "first call sent to last byte of a session",
        ("p*", "max"),
        None,
        where=_TENANT,
        samples="sessions",
        latency=True,
        sessions=True,
        of_starts=True,
        values=_MORE_THAN_0,
    ),
    MeasureSpec(
        "goodput",
        "ratio",
        "tok/s",
        "tokens of good calls per second",
        where=_ALL,
        samples="calls",
        latency=True,
        better="higher",
    ),
    MeasureSpec(
        "slo_attainment",
        "rate",
        "share",
        "good calls / offered calls",
        where=_TENANT,
        samples="calls",
        latency=True,
        better="higher",
    ),
    # the fault and the recovery
    MeasureSpec(
        "failover",
        "percentile",
        "s",
        "interruption of a call by the fault",
        ("p*", "max"),
        None,
        phased=False,
        sources=_TO_GATEWAY,
        samples="interrupted calls",
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "failover_rate",
        "rate",
        "share",
        "calls that met the fault and ended ok",
        phased=False,
        sources=_TO_GATEWAY,
        samples="calls that met the fault",
        about_fault=True,
        better="higher",
    ),
    MeasureSpec(
        "time_to_detect",
        "fact",
        "s",
        "injection to first reaction of the gateway",
        phased=False,
        sources=_TO_GATEWAY,
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "time_to_alert",
        "fact",
        "s",
        "injection to the first alert of your monitoring",
        phased=False,
        sources=(),
        about_fault=True,
    ),
    MeasureSpec(
        "false_alerts",
        "fact",
        "count",
        "alerts of your monitoring in the baseline",
        phased=False,
        sources=(),
        zero_when_well=True,
    ),
    MeasureSpec(
        "time_to_recover",
        "fact",
        "s",
        "revert to recovered for the rest of the run",
        phased=False,
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "time_to_readmit",
        "fact",
        "s",
        "revert to the first good call of the replica",
        phased=False,
        sources=_TO_GATEWAY,
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "goodput_lost",
        "ratio",
        "share",
        "good calls missing over fault and recovery",
        phased=False,
        samples="calls",
        latency=True,
        about_fault=True,
        values=ValueRange(-math.inf, 1),
    ),
    MeasureSpec(
        "overloaded",
        "fact",
        "count",
        "down after the trigger was gone",
        phased=False,
        latency=True,
        about_fault=True,
        values=_YES_OR_NO,
    ),
    MeasureSpec(
        "metastable",
        "fact",
        "count",
        "down after the trigger was gone, self-sustaining",
        phased=False,
        sources=_TO_REPLICA,
        latency=True,
        about_fault=True,
        values=_YES_OR_NO,
    ),
    MeasureSpec(
        "blast_radius",
        "fact",
        "share",
        "share affected by the fault",
        ("sessions", "failed_sessions", "tenants", "failed_tenants", "pools"),
        None,
        phased=False,
        sources=_TO_GATEWAY,
        about_fault=True,
        values=ValueRange(0, 1, exact=True),
    ),
    # cost
    MeasureSpec(
        "retry_amplification",
        "ratio",
        "x",
        "upstream attempts per call",
        where=_TENANT,
        sources=_TO_GATEWAY,
        samples="calls",
    ),
    MeasureSpec(
        "prefill_amplification",
        "ratio",
        "x",
        "prefill computed / prefill needed once",
        where=_TENANT,
        sources=_TO_REPLICA,
        samples="calls",
    ),
    MeasureSpec(
        "wasted_tokens",
        "ratio",
        "share",
        "decoded tokens that reached no client",
        where=_TENANT,
        sources=_TO_REPLICA,
        samples="calls",
        zero_when_well=True,
    ),
    MeasureSpec(
        "cost",
        "fact",
        "USD",
        "price of the hardware held",
        ("per_1k_sessions", "per_million_tokens"),
        where=("pool",),
        samples="sessions",
        kinds=(("per_1k_sessions", "ratio"), ("per_million_tokens", "ratio")),
    ),
    MeasureSpec(
        "knee",
        "fact",
        "sessions/s",
        "most sessions per second served well",
        ("cost_per_1k_sessions",),
        latency=True,
        units=(("cost_per_1k_sessions", "USD"),),
        values=ValueRange(0, step=1 / WINDOW_S),
        of_starts=True,
        better="higher",
    ),
    # load balance, limits and queues
    MeasureSpec(
        "fairness",
        "ratio",
        "share",
        "evenness of served / offered over tenants",
        ("min", "entitled", "entitled_min"),
        samples="calls",
        latency=True,
        kinds=(("entitled_min", "fact"),),
        values=ValueRange(0, 1),
        better="higher",
    ),
    MeasureSpec(
        "shed", "fact", "count", "calls rejected with 429, or 503 and Retry-After", where=_TENANT, zero_when_well=True
    ),
    MeasureSpec(
        "retry_after_honoured",
        "rate",
        "share",
        "attempts accepted after the requested pause",
        where=_TENANT,
        samples="attempts after the pause",
        better="higher",
    ),
    MeasureSpec(
        "gateway_wait",
        "percentile",
        "s",
        "received by the gateway to first attempt",
        ("p*", "max"),
        None,
        where=_TENANT,
        sources=_TO_GATEWAY,
        from_replicas=False,
        samples="gateway requests",
        latency=True,
    ),
    MeasureSpec(
        "replica_queue",
        "percentile",
        "s",
        "waiting time in a replica's queue",
        ("p*", "max"),
        None,
        where=_ALL,
        sources=_TO_REPLICA,
        samples="replica requests",
        latency=True,
    ),
    MeasureSpec(
        "preemptions",
        "fact",
        "count",
        "requests that lost their KV blocks",
        where=_ALL,
        sources=_TO_REPLICA,
        zero_when_well=True,
    ),
    MeasureSpec(
        "kv_peak", "fact", "share", "fullest KV cache", where=("pool",), sources=("replica",), better="neither"
    ),
    MeasureSpec(
        "load_imbalance",
        "fact",
        "x",
        "busiest replica's load / mean",
        where=("pool",),
        sources=("replica",),
        values=ValueRange(1),
    ),
    MeasureSpec(
        "migrations",
        "fact",
        "count",
        "streams moved to another replica",
        where=_ALL,
        sources=_TO_GATEWAY,
        zero_when_well=True,
        better="neither",
    ),
    MeasureSpec(
        "cold_cache_tail",
        "fact",
        "count",
        "repeated prefill after sessions moved",
        ("tokens", "seconds"),
        None,
        phased=False,
        sources=_TO_REPLICA,
        about_fault=True,
        units=(("seconds", "s"),),
    ),
    # integrity
    _count("lost_tokens", "tokens missing inside streams"),
    _count("duplicated_tokens", "tokens sent more than once"),
    _count("spliced_streams", "streams with tokens of another answer"),
    _count("silent_truncations", "truncated streams that looked complete"),
    _count("missing_terminal", "streams that ended without a terminal event"),
    _count("double_terminal", "streams with more than one terminal event"),
)

CATALOGUE: Final[dict[str, MeasureSpec]] = {spec.name: spec for spec in _SPECS}
"""Every measure by its name."""
