"""What measures there are, and what each rests on: a plain dict, light enough for a command line to import.

The definitions in words are in `docs/measures.md`; the functions behind the names in `reports.measures.registry`.
"""

from __future__ import annotations

from typing import Final

from reports.measures.spec import MeasureSpec

__all__ = ["CATALOGUE"]

_WHO: Final = ("tenant", "tier")
_ALL: Final = ("pool", *_WHO)


def _latency(name: str, title: str) -> MeasureSpec:
    return MeasureSpec(name, "percentile", "s", title, ("p*", "max"), None, where=_ALL, samples="calls", latency=True)


def _count(name: str, title: str) -> MeasureSpec:
    return MeasureSpec(name, "fact", "count", title, where=_ALL)


_TRACED: Final = ("loadgen", "gateway")
_TO_THE_CHIP: Final = ("loadgen", "gateway", "replica")

_SPECS: Final = (
    # calls
    _latency("ttft", "time to first token"),
    _latency("itl", "gap between tokens"),
    _latency("max_gap", "longest stall of a call"),
    _latency("tpot", "time per output token"),
    _latency("e2e", "call sent to last byte"),
    _latency("effective", "call scheduled to last byte"),
    _count("calls", "calls offered"),
    _count("calls_ok", "calls that ended ok"),
    _count("calls_failed", "calls that did not end ok"),
    MeasureSpec("error_rate", "rate", "share", "calls that did not end ok", where=_ALL, samples="calls"),
    # sessions
    MeasureSpec("sessions", "fact", "count", "sessions", where=_WHO, sessions=True),
    MeasureSpec("sessions_lost", "fact", "count", "sessions lost", where=_WHO, sessions=True),
    MeasureSpec("unfinished", "fact", "count", "sessions still going at the end", where=_WHO),
    MeasureSpec(
        "session_success",
        "rate",
        "share",
        "sessions that succeeded",
        where=_WHO,
        samples="sessions",
        sessions=True,
    ),
    MeasureSpec(
        "session_time",
        "percentile",
        "s",
        "first call sent to last byte of a session",
        ("p*", "max"),
        None,
        where=_WHO,
        samples="sessions",
        latency=True,
        sessions=True,
    ),
    MeasureSpec(
        "goodput",
        "ratio",
        "tok/s",
        "tokens of good calls a second",
        where=_ALL,
        samples="calls",
        latency=True,
    ),
    MeasureSpec(
        "slo_attainment",
        "rate",
        "share",
        "good calls of those offered",
        where=_WHO,
        samples="calls",
        latency=True,
    ),
    # a failure, on the clock
    MeasureSpec(
        "failover",
        "percentile",
        "s",
        "interruption of a call by the fault",
        ("p*", "max"),
        None,
        phased=False,
        sources=_TRACED,
        samples="interrupted calls",
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "failover_rate",
        "rate",
        "share",
        "calls saved of those that met the fault",
        phased=False,
        sources=_TRACED,
        samples="calls that met the fault",
        about_fault=True,
    ),
    MeasureSpec(
        "time_to_detect",
        "fact",
        "s",
        "injection to first reaction",
        phased=False,
        sources=_TRACED,
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "time_to_recover",
        "fact",
        "s",
        "revert to good for the rest of the run",
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
        sources=_TRACED,
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
    ),
    MeasureSpec(
        "overloaded",
        "fact",
        "count",
        "down after the trigger was gone",
        phased=False,
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "metastable",
        "fact",
        "count",
        "down by itself after the trigger was gone",
        phased=False,
        sources=_TO_THE_CHIP,
        latency=True,
        about_fault=True,
    ),
    MeasureSpec(
        "blast_radius",
        "fact",
        "share",
        "who was touched by the fault",
        ("sessions", "failed_sessions", "tenants", "failed_tenants", "pools"),
        None,
        phased=False,
        sources=_TRACED,
        about_fault=True,
    ),
    # what it cost
    MeasureSpec(
        "retry_amplification",
        "ratio",
        "x",
        "upstream attempts a call",
        where=_WHO,
        sources=_TRACED,
        samples="calls",
    ),
    MeasureSpec(
        "prefill_amplification",
        "ratio",
        "x",
        "prefill computed over prefill needed once",
        where=_WHO,
        sources=_TO_THE_CHIP,
        samples="calls",
    ),
    MeasureSpec(
        "wasted_tokens",
        "ratio",
        "share",
        "decoded tokens that reached no client",
        where=_WHO,
        sources=_TO_THE_CHIP,
        samples="calls",
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
        "most sessions a second that are served well",
        ("cost_per_1k_sessions",),
        latency=True,
        units=(("cost_per_1k_sessions", "USD"),),
    ),
    # who gets in, and where it waits
    MeasureSpec(
        "fairness",
        "ratio",
        "share",
        "evenness of served / asked over tenants",
        ("min", "entitled", "entitled_min"),
        samples="calls",
        latency=True,
        kinds=(("entitled_min", "fact"),),
    ),
    MeasureSpec("shed", "fact", "count", "calls sent away with 429, or 503 and a Retry-After", where=_WHO),
    MeasureSpec(
        "retry_after_honoured",
        "rate",
        "share",
        "attempts after the asked pause that got in",
        where=_WHO,
        samples="attempts that obeyed",
    ),
    MeasureSpec(
        "gateway_wait",
        "percentile",
        "s",
        "received by the gateway to its first attempt",
        ("p*", "max"),
        None,
        where=_WHO,
        sources=_TRACED,
        samples="gateway requests",
        latency=True,
    ),
    MeasureSpec(
        "replica_queue",
        "percentile",
        "s",
        "waiting in a replica's queue",
        ("p*", "max"),
        None,
        where=_ALL,
        sources=_TO_THE_CHIP,
        samples="replica requests",
        latency=True,
    ),
    MeasureSpec("preemptions", "fact", "count", "requests that lost their KV blocks", where=_ALL, sources=_TO_THE_CHIP),
    MeasureSpec("kv_peak", "fact", "share", "fullest KV cache", where=("pool",), sources=("replica",)),
    MeasureSpec("load_imbalance", "fact", "x", "busiest replica over the mean", where=("pool",), sources=("replica",)),
    MeasureSpec("migrations", "fact", "count", "streams moved to another replica", where=_ALL, sources=_TRACED),
    MeasureSpec(
        "cold_cache_tail",
        "fact",
        "count",
        "prefill again after sessions moved",
        ("tokens", "seconds"),
        None,
        phased=False,
        sources=_TO_THE_CHIP,
        about_fault=True,
        units=(("seconds", "s"),),
    ),
    # integrity
    _count("lost_tokens", "tokens missing inside streams"),
    _count("duplicated_tokens", "tokens sent twice"),
    _count("spliced_streams", "streams with tokens of another answer"),
    _count("silent_truncations", "short streams that looked complete"),
    _count("missing_terminal", "streams that ended without a terminal event"),
    _count("double_terminal", "streams with more than one terminal event"),
)

CATALOGUE: Final[dict[str, MeasureSpec]] = {spec.name: spec for spec in _SPECS}
"""Every measure by its name."""
