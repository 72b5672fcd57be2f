"""The runs of a head judged against those of a base, in pairs of the same seed: did any measure become worse?

The run is the unit. Each judged measure has a declared tolerance, and three verdicts:

    pass           the upper end of the interval of its worsening is at most the tolerance
    fail           the worsening is beyond the tolerance, corrected for the number of judged measures (Holm)
    inconclusive   neither, or fewer than five pairs count

An improvement never fails. All judged measures must pass for the comparison to pass, so a pass needs no correction
(intersection-union test). `docs/regressions.md` has the method and its simulations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from brownout.result import Comparison, MeasureChange
from reports.comparison.chance import MIN_PAIRS, Scale, holm, least_sd
from reports.gating.run_values import RunValues, spec_of
from reports.gating.soundness import may_lack_value
from reports.gating.tolerances import Tolerance, amount_text, size_text
from reports.gating.worsening import (
    Worsening,
    count_detectable_above,
    detectable_above,
    never_p,
    pairs_for_never,
    worse_count,
    worse_mean,
)

__all__ = ["MIN_PAIRS", "SHOWN", "Pair", "compare_sides"]

Pair = tuple[RunValues, RunValues]
"""The run of the head and the run of the base with the same seed."""

Verdict = Literal["pass", "fail", "inconclusive"]

SHOWN: Final = "shown, not judged"
"""Begins the `why` of a measure that does not count for the verdict."""

_NOT_MEASURED: Final = "not measured in any run"

_LEAST_OF_TOLERANCE: Final = 1 / 20
"""No spread between pairs below this share of the tolerance is believed: values may be equal by chance."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One measure before its p value is corrected.

    `here`, `there`: None where no run of that side has it. `found` is on the scale on which it was tested; None: not
    tested.

    `back`: from that scale to the size of the worsening as users read it. `never`: p value of `never` in more runs of
    the head. `settled`: why it cannot be worse. `obstacle`: why it was not tested, or not completely. `remark`: what a
    reader should know.
    """

    tolerance: Tolerance
    here: float | None
    there: float | None
    pairs: int
    found: Worsening | None = None
    limit: float = 0.0
    back: Callable[[float], float] = float
    never: float | None = None
    settled: str = ""
    obstacle: str = ""
    remark: str = ""

    @property
    def p(self) -> float | None:
        """p value of "not worse than the tolerance", uncorrected; None: not tested."""
        if not self.tolerance.judged:
            return None
        return self.never if self.never is not None else self.found.p if self.found is not None else None


def compare_sides(
    pairs: Sequence[Pair],
    tolerances: Sequence[Tolerance],
    *,
    base: str,
    source: Literal["baseline", "interleaved"],
    level: float = 0.95,
) -> Comparison:
    """Judge the head of each pair against its base. Raises ValueError for a `level` that is not between 0.5 and 1.

    `base`: its label. `level`: of the two-sided intervals. Regressions are found, and passes given, with an error of at
    most half of the rest: 2.5 % at 95 %. Measures that no run has are left out, but for those whose tolerance the user
    typed: they make the comparison inconclusive.
    """
    if not 0.5 < level < 1:
        raise ValueError(f"a level of {level} is not between 0.5 and 1")
    counted = [pair for pair in pairs if all(run.sound for run in pair)]
    alpha = (1 - level) / 2
    rows = [row for one in tolerances if (row := _row(counted, one, alpha)) is not None]
    tested = [row for row in rows if row.p is not None]
    corrected = iter(holm([row.p for row in tested if row.p is not None]))
    changes = [
        _change(row, next(corrected) if row.p is not None else None, alpha, len(tested), len(pairs)) for row in rows
    ]
    note = "" if len(counted) >= MIN_PAIRS else _too_few(pairs, counted)
    verdict, why = _overall([one for one in changes if one.judged], len(counted), note)
    return Comparison(
        base=base,
        source=source,
        pairs=len(counted),
        seeds=tuple(head.seed for head, _ in counted),
        verdict=verdict,
        why=why,
        measures=tuple(changes),
        note=note,
    )


def _too_few(pairs: Sequence[Pair], counted: Sequence[Pair]) -> str:
    left = [next(run for run in pair if not run.sound) for pair in pairs if not all(run.sound for run in pair)]
    because = f" (seed {left[0].seed}: {left[0].why})" if left and left[0].why else ""
    aside = f"; {len(left)} of {len(pairs)} do not count{because}" if left else ""
    return f"{len(counted)} pairs of runs with the same seed are too few: at least {MIN_PAIRS} decide{aside}"


def _overall(judged: Sequence[MeasureChange], pairs: int, note: str) -> tuple[Verdict, tuple[str, ...]]:
    failed = [one.why for one in judged if one.verdict == "fail"]
    open_ = [one.why for one in judged if one.verdict == "inconclusive"]
    if note:
        return "inconclusive", (note,)
    if failed:
        rest = [f"undecided: {len(open_)} of {len(judged)} measures"] if open_ else []
        return "fail", (*failed, *rest)
    if not judged:
        return "inconclusive", ("no measure is judged: none of those with a tolerance was measured",)
    if open_:
        return "inconclusive", tuple(open_)
    return "pass", (f"none of {len(judged)} measures became worse by more than its tolerance in {pairs} pairs",)


def _row(pairs: Sequence[Pair], tolerance: Tolerance, alpha: float) -> _Row | None:
    """One measure over the pairs that count for it; None where no run has it and the user did not ask for it.

    Where calls of the head failed so that it has no value, the pairs that are left do not let it pass.
    """
    measured = [(pair, _values(pair, tolerance)) for pair in pairs]
    row = _row_of(measured, tolerance, alpha)
    lost = sum(one is None and other is not None for _, (one, other) in measured)
    if row is None or row.obstacle or row.settled or not lost or may_lack_value(tolerance.measure):
        return row
    return replace(row, obstacle=f"in {lost} of {len(measured)} pairs only the base has a value")


def _row_of(
    measured: Sequence[tuple[Pair, tuple[float | None, float | None]]], tolerance: Tolerance, alpha: float
) -> _Row | None:
    spec = spec_of(tolerance.measure)
    if spec is None or all(one is None for _, values in measured for one in values):
        wanted = measured and tolerance.typed and tolerance.judged
        return _Row(tolerance, None, None, 0, obstacle=_NOT_MEASURED) if wanted else None
    # A busy machine changes times, and a gateway whose spans were lost did more than they show.
    fragile = spec.latency or spec.sources != ("loadgen",)
    quiet = [one for one in measured if not (fragile and any(run.doubtful for run in one[0]))]
    known = [(pair, (one, other)) for pair, (one, other) in quiet if one is not None and other is not None]
    if not known:
        sides = ([value for _, values in measured if (value := values[side]) is not None] for side in (0, 1))
        here, there = (_mean(side) if side else None for side in sides)
        return _Row(tolerance, here, there, 0, obstacle=_missing(measured, quiet, 0))
    heads, bases = [ours for _, (ours, _) in known], [theirs for _, (_, theirs) in known]
    row = _Row(tolerance, _mean(heads), _mean(bases), len(known))
    if len(known) < MIN_PAIRS:
        return replace(row, obstacle=_missing(measured, quiet, len(known)))
    if not all(map(math.isfinite, (*heads, *bases))):
        row = _with_never(row, heads, bases)
        if row.never is not None or row.settled:
            return row
        both = [at for at in range(len(heads)) if math.isfinite(heads[at]) and math.isfinite(bases[at])]
        if len(both) < MIN_PAIRS:
            text = row.obstacle or row.remark or "infinite in a run"
            return replace(row, obstacle=f"{text}; finite on both sides in only {len(both)} pairs")
        known = [known[at] for at in both]
        heads, bases = [heads[at] for at in both], [bases[at] for at in both]
        row = replace(row, here=_mean(heads), there=_mean(bases), pairs=len(both))
    return _tested(row, [pair for pair, _ in known], heads, bases, alpha)


def _values(pair: Pair, tolerance: Tolerance) -> tuple[float | None, float | None]:
    head, base = (run.value(tolerance.measure, tolerance.phase) for run in pair)
    return head, base


def _missing(measured: Sequence[object], quiet: Sequence[object], known: int) -> str:
    busy, absent = len(measured) - len(quiet), len(quiet) - known
    parts = [f"in {busy} the machine was in doubt"] if busy else []
    parts += [f"in {absent} it was not measured on both sides"] if absent else []
    return f"only {known} of {len(measured)} pairs count" + (f": {', '.join(parts)}" if parts else "")


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else max(values, key=abs)


def _with_never(row: _Row, heads: Sequence[float], bases: Sequence[float]) -> _Row:
    """What infinite values decide: Fisher's exact test where the head has more of them, else nothing."""
    never = [sum(math.isinf(one) for one in side) for side in (heads, bases)]
    if row.tolerance.better == "higher" or any(one == -math.inf for one in (*heads, *bases)):
        return replace(row, obstacle="infinite in a run")
    if never[1] == row.pairs:
        return replace(row, settled="never in any run of the base")
    text = f"never in {never[0]} of {row.pairs} runs, in {never[1]} of {row.pairs} of the base"
    if never[0] > never[1]:
        return replace(row, never=never_p(never[0], never[1], row.pairs), obstacle=text)
    return replace(row, obstacle=text) if never[0] else replace(row, remark=text)


def _tested(row: _Row, pairs: Sequence[Pair], heads: Sequence[float], bases: Sequence[float], alpha: float) -> _Row:
    """The test of the differences: of logarithms where a change is relative, else in the unit of the measure."""
    tolerance = row.tolerance
    sign = 1.0 if tolerance.better == "lower" else -1.0
    if tolerance.unit == "count":
        sides = (heads, bases) if sign > 0 else (bases, heads)
        return replace(row, found=worse_count(*sides, tolerance.size, alpha), limit=tolerance.size)
    scale: Scale = "log" if tolerance.relative and min(*heads, *bases) > 0 else "linear"
    floor = least_sd(tolerance.unit, _samples(pairs, tolerance), scale, min(*heads, *bases))
    if scale == "log":
        limit = sign * math.log1p(sign * tolerance.size)
        differences = [sign * math.log(one / other) for one, other in zip(heads, bases, strict=True)]
        means = [math.exp(math.fsum(map(math.log, side)) / len(side)) for side in (heads, bases)]
        row = replace(row, here=means[0], there=means[1], back=lambda size: sign * math.expm1(sign * size))
    else:
        whole = _mean(bases) if tolerance.relative else 1.0
        if whole <= 0:
            same = all(one == other for one, other in zip(heads, bases, strict=True))
            if same:
                return replace(row, settled="the same in every pair of runs")
            return replace(row, obstacle="its base is 0, so no change is relative")
        limit, floor = tolerance.size, floor / whole
        differences = [sign * (one - other) / whole for one, other in zip(heads, bases, strict=True)]
    floor = max(floor, limit * _LEAST_OF_TOLERANCE)
    return replace(row, found=worse_mean(differences, limit, alpha, floor), limit=limit)


def _samples(pairs: Iterable[Pair], tolerance: Tolerance) -> float:
    """The fewest sessions or calls that a run has for the measure: the weight of one is the least that is believed."""
    spec = spec_of(tolerance.measure)
    phase = tolerance.phase or "run"
    found = [
        (run.sessions if spec is not None and spec.sessions else run.calls).get(phase, 1.0)
        for pair in pairs
        for run in pair
    ]
    return max(1.0, min(found))


def _change(row: _Row, p: float | None, alpha: float, tested: int, played: int) -> MeasureChange:
    """The row as users see it, with its verdict. `tested`: number of judged measures with a p value."""
    tolerance, found = row.tolerance, row.found
    sign = 1.0 if tolerance.better == "lower" else -1.0
    unit = tolerance.unit
    verdict: Verdict = "inconclusive"
    known = row.here is not None and row.there is not None
    if row.never is not None or found is None:
        size = _size_without_test(row.here, row.there, sign, relative=tolerance.relative)
        verdict = "fail" if p is not None and p < alpha else "pass" if row.settled else verdict
        shown = None
    else:
        size, low, high = (row.back(one) for one in (found.mean, found.low, found.high))
        verdict = "fail" if p is not None and p < alpha else "pass" if found.high <= row.limit else verdict
        shown = (low, high)
    detectable = None
    if found is not None and tolerance.judged:
        share = alpha / max(tested, 1)
        if unit == "count" and row.there is not None:
            above = count_detectable_above(row.pairs, found.sd, share, row.there, tolerance.size)
        else:
            above = detectable_above(row.pairs, found.sd, share)
        detectable = row.back(row.limit + above)
    if row.obstacle and verdict == "pass":
        verdict = "inconclusive"
    if not tolerance.judged:
        verdict = "inconclusive"
    why = _why(row, size, shown, verdict, detectable, alpha, tested)
    return MeasureChange(
        measure=tolerance.measure,
        title=tolerance.title,
        phase=tolerance.phase,
        unit=unit,
        better=tolerance.better,
        here=row.here,
        there=row.there,
        change=sign * size + 0.0 if known else None,
        relative=tolerance.relative,
        tolerance=tolerance.size,
        verdict=verdict,
        why=why if tolerance.judged else f"{SHOWN}: {why}",
        interval=None if shown is None else (min(sign * one for one in shown), max(sign * one for one in shown)),
        p=p,
        judged=tolerance.judged,
        spread=None if found is None else abs(row.back(found.seen_sd)),
        detectable=detectable,
    )


def _size_without_test(here: float | None, there: float | None, sign: float, *, relative: bool) -> float:
    """How much worse the head is on average: infinite where only the head has infinite values, 0 where unknown."""
    if here is None or there is None or here == there:
        return 0.0
    if math.isinf(here) or math.isinf(there):
        return sign * (math.inf if here > there else -math.inf)
    if not relative:
        return sign * (here - there)
    return sign * (here / there - 1) if there > 0 else sign * math.inf


def _why(
    row: _Row,
    size: float,
    interval: tuple[float, float] | None,
    verdict: Verdict,
    detectable: float | None,
    alpha: float,
    tested: int,
) -> str:
    """The sentence of a measure: what changed, by how much, and what was accepted."""
    tolerance = row.tolerance
    accepted = f"tolerance {amount_text(tolerance)}"
    if row.settled:
        return f"{tolerance.label}: {row.settled}, {accepted}"
    if row.never is not None:
        enough = f"{pairs_for_never(alpha, max(tested, 1))} pairs tell always from never"
        return f"{tolerance.label}: {row.obstacle}" + ("" if verdict == "fail" else f": too few runs to tell; {enough}")
    if row.obstacle == _NOT_MEASURED:
        return f"{tolerance.label}: {_NOT_MEASURED}, so its tolerance of {amount_text(tolerance)} decides nothing"
    if interval is None:
        return f"{tolerance.label}: {row.obstacle}; at least {MIN_PAIRS} pairs decide"
    text = f"{tolerance.label}: {_size_text(size, interval, tolerance, alpha)}, {accepted}"
    if row.remark or row.obstacle:
        text += f"; {row.remark or row.obstacle}"
    if verdict == "inconclusive" and not row.obstacle and tolerance.judged and detectable is not None:
        if interval[0] > tolerance.size:
            text += f"; not beyond chance among {tested} measures"
        found = f"{size_text(detectable, tolerance)} {_words(tolerance)[1]}"
        text += f". These {row.pairs} pairs would find {found}"
    return text


def _words(tolerance: Tolerance) -> tuple[str, str]:
    """How a change for the better and one for the worse are called."""
    if tolerance.unit == "count":
        return ("fewer", "more") if tolerance.better == "lower" else ("more", "fewer")
    return "better", "worse"


def _size_text(size: float, interval: tuple[float, float], tolerance: Tolerance, alpha: float) -> str:
    """`34 % worse (95 % interval 22 to 47 %)`, `2 % worse (95 % interval 3 % better to 8 % worse)`."""
    low, high = interval
    better, worse = _words(tolerance)
    each = " a run" if tolerance.unit == "count" else ""
    level = f"{(1 - 2 * alpha) * 100:.4g} % interval"
    middle = "unchanged"
    if abs(size) >= tolerance.size / 1000:
        middle = f"{size_text(size, tolerance)} {worse if size > 0 else better}{each}"
    near, far = (low, high) if size >= 0 else (-high, -low)
    if near < 0:
        return f"{middle} ({level} {size_text(low, tolerance)} {better} to {size_text(high, tolerance)} {worse})"
    ends = [size_text(end, tolerance) for end in (near, far)]
    units = [end.partition(" ")[2] for end in ends]
    between = f"{ends[0].partition(' ')[0]} to {ends[1]}" if units[0] == units[1] else " to ".join(ends)
    return f"{middle} ({level} {between})"
