"""What a gate may know of a measure before there is a run: its kind, unit, statistics, and what it rests on.

A measure's *kind* says how a gate on it is judged:

    fact         a count or an extreme of this run: exact, without an interval
    rate         a proportion: Wilson interval
    percentile   bootstrap by session, and a least number of samples
    ratio        a quotient of sums: bootstrap by session
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "MeasureSpec", "Unit", "is_percentile", "quantile_of"]

Kind = Literal["fact", "rate", "percentile", "ratio"]
Unit = Literal["s", "share", "count", "x", "tok/s", "USD", "sessions/s"]

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
    `about_fault`: there is no value without a fault. `kinds`, `units`: those of single statistics, where they differ.
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
    kinds: tuple[tuple[str, Kind], ...] = ()
    units: tuple[tuple[str, Unit], ...] = ()

    def has_stat(self, stat: str) -> bool:
        """Whether `name.stat` means something ("" = the bare name)."""
        if stat == "":
            return self.default_stat is not None
        return stat in self.stats or ("p*" in self.stats and is_percentile(stat))

    def kind_of(self, stat: str) -> Kind:
        """The kind of one of its statistics: an extreme is a fact."""
        if is_percentile(stat):
            return "percentile"
        return dict(self.kinds).get(stat) or ("fact" if stat in ("max", "min") else self.kind)

    def unit_of(self, stat: str) -> Unit:
        """The unit of one of its statistics."""
        return dict(self.units).get(stat, self.unit)
