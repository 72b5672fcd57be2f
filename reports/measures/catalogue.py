"""What measures there are, and what each rests on: a plain dict, light enough for a command line to import.

A measure's *kind* says how a gate on it is judged:

    fact         a count or an extreme of this run: exact, without an interval
    rate         a proportion: Wilson interval
    percentile   bootstrap by session, and a least number of samples
    ratio        a quotient of sums: bootstrap by session

The definitions in words are in `docs/measures.md`; the functions behind the names in `reports.measures.registry`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CATALOGUE", "GATE_PHASES", "PHASES", "Kind", "MeasureSpec", "Unit", "is_percentile", "quantile_of"]

Kind = Literal["fact", "rate", "percentile", "ratio"]
Unit = Literal["s", "share", "count", "x", "tok/s", "USD"]

PHASES: Final = ("warmup", "baseline", "fault", "recovery", "drain")
"""The phases of a run that a gate may name."""

GATE_PHASES: Final = ("baseline", "fault", "recovery")
"""What a gate without a phase means."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


def is_percentile(stat: str) -> bool:
    """Whether `stat` names a percentile, `p50` or `p99.9`; `p0` and `p100` do not."""
    found = _PERCENTILE.fullmatch(stat)
    return bool(found) and float(found[1]) > 0  # type: ignore[index]


def quantile_of(stat: str) -> float:
    """`p95` -> 0.95. Raises ValueError for what is not a percentile."""
    if not is_percentile(stat):
        raise ValueError(f"{stat!r} is not a percentile")
    return float(stat[1:]) / 100


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """One measure as a gate may name it.

    `stats`: the statistics it has beside `default_stat` ("" = the bare name); "p*" stands for any percentile.
    `phased`: whether it can be asked of a phase; the others are about the fault as a whole.
    `where`: by what it can be narrowed. `sources`: the processes whose spans it needs.
    `samples`: what its interval counts. `latency`: an overloaded machine spoils it. `sessions`: unfinished ones do.
    `about_fault`: there is no value without a fault.
    """

    name: str
    kind: Kind
    unit: Unit
    title: str
    stats: tuple[str, ...] = ()
    default_stat: str | None = ""
    phased: bool = True
    where: tuple[str, ...] = ()
    sources: tuple[str, ...] = ("loadgen",)
    samples: str = ""
    latency: bool = False
    sessions: bool = False
    about_fault: bool = False

    def has_stat(self, stat: str) -> bool:
        """Whether `name.stat` means something ("" = the bare name)."""
        if stat == "":
            return self.default_stat is not None
        return stat in self.stats or ("p*" in self.stats and is_percentile(stat))

    def kind_of(self, stat: str) -> Kind:
        """The kind of one of its statistics: an extreme is a fact."""
        if is_percentile(stat):
            return "percentile"
        return "fact" if stat in ("max", "min") else self.kind

    def unit_of(self, stat: str) -> Unit:
        """The unit of one of its statistics."""
        return self.unit


def _latency(name: str, title: str) -> MeasureSpec:
    return MeasureSpec(
        name, "percentile", "s", title, ("p*", "max"), None, where=("pool", "tenant"), samples="calls", latency=True
    )


def _count(name: str, title: str) -> MeasureSpec:
    return MeasureSpec(name, "fact", "count", title, where=("pool", "tenant"))


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
    MeasureSpec("error_rate", "rate", "share", "calls that did not end ok", where=("pool", "tenant"), samples="calls"),
    # sessions
    MeasureSpec("sessions", "fact", "count", "sessions", where=("tenant",), sessions=True),
    MeasureSpec("sessions_lost", "fact", "count", "sessions lost", where=("tenant",), sessions=True),
    MeasureSpec("unfinished", "fact", "count", "sessions still going at the end", where=("tenant",)),
    MeasureSpec(
        "session_success",
        "rate",
        "share",
        "sessions that succeeded",
        where=("tenant",),
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
        where=("tenant",),
        samples="sessions",
        latency=True,
        sessions=True,
    ),
    MeasureSpec(
        "goodput",
        "ratio",
        "tok/s",
        "tokens of good calls a second",
        where=("pool", "tenant"),
        samples="calls",
        latency=True,
    ),
    MeasureSpec(
        "slo_attainment",
        "rate",
        "share",
        "good calls of those offered",
        where=("tenant",),
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
        where=("tenant",),
        sources=_TRACED,
        samples="calls",
    ),
    MeasureSpec(
        "prefill_amplification",
        "ratio",
        "x",
        "prefill computed over prefill needed once",
        where=("tenant",),
        sources=_TO_THE_CHIP,
        samples="calls",
    ),
    MeasureSpec(
        "wasted_tokens",
        "ratio",
        "share",
        "decoded tokens that reached no client",
        where=("tenant",),
        sources=_TO_THE_CHIP,
        samples="calls",
    ),
    MeasureSpec(
        "cost", "fact", "USD", "price of the hardware held", ("per_1k_sessions", "per_million_tokens"), where=("pool",)
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
