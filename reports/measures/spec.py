"""The specification of a measure: kind, unit, statistics, range, and the spans it needs. Known before a run.

The *kind* of a measure decides how a gate on it is judged:

    fact         a count or an extreme of this run: exact, without an interval
    rate         a proportion: Wilson interval
    percentile   ranks at the effective samples, which need a minimum number
    ratio        a quotient of sums: bootstrap by session
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from reports.measures.value_range import ValueRange

__all__ = ["Better", "Kind", "MeasureSpec", "Unit", "is_percentile", "quantile_of"]

Kind = Literal["fact", "rate", "percentile", "ratio"]
Better = Literal["lower", "higher", "neither"]
Unit = Literal["s", "share", "count", "x", "tok/s", "USD", "sessions/s"]

_OF_UNIT: Final[dict[Unit, ValueRange]] = {
    "s": ValueRange(0),
    "share": ValueRange(0, 1),
    "count": ValueRange(0, step=1),
    "x": ValueRange(0),
    "tok/s": ValueRange(0),
    "USD": ValueRange(0, above=True),  # without prices, a cost is not measured
    "sessions/s": ValueRange(0),
}
"""The range of a measure that declares none."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


def is_percentile(stat: str) -> bool:
    """Whether `stat` names a percentile, `p50` or `p99.9`; `p0` and `p100` do not."""
    found = _PERCENTILE.fullmatch(stat)
    return bool(found) and float(found[1]) > 0  # type: ignore[index]


def quantile_of(stat: str) -> float:
    """The quantile of a percentile: 0.95 of `p95`. Raises ValueError for other statistics."""
    if not is_percentile(stat):
        raise ValueError(f"{stat!r} is not a percentile")
    return float(stat[1:]) / 100


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """One measure that a gate may name.

    `stats`: its statistics; "p*" stands for any percentile. `default_stat`: "" = the name alone is a value, None = a
    statistic is required. `phased`: it can be measured per phase; others are about the fault as a whole. `where`: keys
    that can narrow it. `sources`: kinds of process whose spans it needs. `from_replicas`: behind a gateway that is not
    ours, the requests at our replicas stand in for the gateway's spans. `samples`: what its samples are. `latency`:
    invalid on an overloaded machine. `sessions`: invalid with many unfinished sessions. `about_fault`: needs a fault.
    `kinds`, `units`: those of single statistics, where they differ. `values`: its range, where it is not that of its
    unit. `zero_when_well`: it is 0 in a run in which nothing goes wrong. `of_starts`: it is about sessions by their
    start. `better`: the good direction; `neither` says how much was done, not how well.
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
    from_replicas: bool = True
    samples: str = ""
    latency: bool = False
    sessions: bool = False
    about_fault: bool = False
    kinds: tuple[tuple[str, Kind], ...] = ()
    units: tuple[tuple[str, Unit], ...] = ()
    values: ValueRange | None = None
    zero_when_well: bool = False
    of_starts: bool = False
    better: Better = "lower"

    def has_stat(self, stat: str) -> bool:
        """Whether the measure has the statistic ("" = the name alone)."""
        if stat == "":
            return self.default_stat is not None
        return stat in self.stats or ("p*" in self.stats and is_percentile(stat))

    def kind_of(self, stat: str) -> Kind:
        """The kind of one of its statistics; an extreme is a fact."""
        if is_percentile(stat):
            return "percentile"
        return dict(self.kinds).get(stat) or ("fact" if stat in ("max", "min") else self.kind)

    def unit_of(self, stat: str) -> Unit:
        """The unit of one of its statistics."""
        return dict(self.units).get(stat, self.unit)

    def better_of(self, stat: str) -> Better:
        """The good direction of one of its statistics. Of a price, less is better."""
        return "lower" if self.unit_of(stat) == "USD" else self.better

    def range_of(self, stat: str) -> ValueRange:
        """The values that one of its statistics can have, in its unit."""
        if self.values is not None and self.unit_of(stat) == self.unit:
            return self.values
        return _OF_UNIT[self.unit_of(stat)]
