"""What `gate_honesty` prints: its findings as Markdown, what is missing, and what must not be. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np

from bench.gate_resampling import (
    ALPHA,
    Choices,
    Dose,
    Verdicts,
    against_choices,
    beyond,
    bound_for_new_runs,
    compared,
    found_size,
    least_beyond,
    lower_bound,
    measured,
    resampled,
)
from bench.plants import Plant
from bench.provenance import CHANGED
from bench.regressions import upper_bound
from brownout.result import Comparison
from reports.comparison.chance import MIN_PAIRS, holm, pairs_p
from reports.gating.regressions import Pair
from reports.gating.run_values import RunValues
from reports.gating.tolerances import DEFAULTS, Tolerance, amount_text, size_text

__all__ = ["MOST_FALSE", "PAIRS", "Findings", "Stored", "findings_of", "problems", "report_text"]

MOST_FALSE: Final = 0.03
"""Largest upper bound of the rate of false alarms."""
PAIRS: Final = (5, 8, 10)
"""How many pairs a comparison has. At least twice as many must be stored."""
ORDER_MATTERS: Final = 0.05
"""Corrected p value below which first and second runs of a seed differ."""
_NAMED: Final = 3
"""Measures that are named for a plant."""
JUDGED: Final = tuple(one for one in DEFAULTS if one.judged)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored and counts. `wanted`: pairs of the store. `pairs`: of equal runs, in the order played.

    `live`: the pairs of each live gate, with `live_verdicts`. `heads`: runs of each plant; `bases`: of the unchanged
    stack, by experiment and seed. `unplayed`, `doubted`: runs that are missing, and runs that do not count.
    `busiest`: the largest load average when a run began.
    """

    experiment: str
    wanted: int
    pairs: list[Pair]
    live: list[list[Pair]] = field(default_factory=list)
    live_verdicts: list[str] = field(default_factory=list)
    heads: Mapping[str, list[RunValues]] = field(default_factory=dict)
    bases: Mapping[str, Mapping[int, list[RunValues]]] = field(default_factory=dict)
    plants: Sequence[Plant] = ()
    plant_pairs: int = MIN_PAIRS
    unplayed: int = 0
    doubted: int = 0
    commits: tuple[str, ...] = ()
    machine: str = ""
    hours: float = 0.0
    busiest: float = 0.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What the stored runs say. By number of pairs: `verdicts` of the drawn comparisons, `bounds` for new runs.

    `beyond`: pairs beyond the tolerance of each measure, and the largest difference in tolerances. `sizes`: by measure
    and number of pairs. `order_p`: smallest corrected p value of "the order means nothing". `live`: each gate, and with
    more than one all together. `planted`: each group of five runs of each plant.
    """

    judged: tuple[Tolerance, ...] = ()
    verdicts: Mapping[int, Verdicts] = field(default_factory=dict)
    bounds: Mapping[int, float] = field(default_factory=dict)
    beyond: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    sizes: Mapping[tuple[str, int], Dose | None] = field(default_factory=dict)
    order_p: float = 1.0
    live: Sequence[Comparison] = ()
    planted: Mapping[str, Sequence[Choices]] = field(default_factory=dict)


def findings_of(stored: Stored, *, draws: int, size_draws: int) -> Findings:
    """Everything that can be said about the stored runs. The same runs always give the same."""
    judged = measured(stored.pairs, JUDGED)
    counts = {one.label: beyond(stored.pairs, one) for one in judged}
    order_p = _order_p(stored.pairs, judged)
    verdicts, bounds = {}, {}
    sizes: dict[tuple[str, int], Dose | None] = {}
    for pairs in (one for one in PAIRS if 2 * one <= len(stored.pairs)):
        found = resampled(stored.pairs, judged, pairs, draws, _rng(f"verdicts {pairs}"))
        verdicts[pairs] = found
        bounds[pairs] = bound_for_new_runs(
            [one for one, _ in counts.values()],
            len(stored.pairs),
            pairs,
            found.tested,
            order_matters=order_p < ORDER_MATTERS,
        )
        for one in judged if size_draws else ():
            rng = _rng(f"size {one.label} {pairs}")
            sizes[one.label, pairs] = found_size(stored.pairs, one, pairs, len(judged), size_draws, rng)
    return Findings(
        judged=tuple(judged),
        verdicts=verdicts,
        bounds=bounds,
        beyond=counts,
        sizes=sizes,
        order_p=order_p,
        live=_live(stored),
        planted={plant.name: groups for plant in stored.plants if (groups := _planted(stored, plant))},
    )


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big"))


def _order_p(pairs: Sequence[Pair], judged: Sequence[Tolerance]) -> float:
    """Two-sided paired t tests of first against second runs, corrected (Holm)."""
    found = []
    for one in judged if len(pairs) >= MIN_PAIRS else ():
        values = [
            (first.value(one.measure, one.phase), second.value(one.measure, one.phase)) for first, second in pairs
        ]
        known = [
            (a, b) for a, b in values if a is not None and b is not None and not math.isinf(a) and not math.isinf(b)
        ]
        if len(known) >= MIN_PAIRS:
            logs = one.relative and min(min(pair) for pair in known) > 0
            found.append(pairs_p([math.log(b / a) if logs else b - a for a, b in known]))
    return min(holm(found), default=1.0)


def _live(stored: Stored) -> list[Comparison]:
    gates = [compared(pairs, JUDGED) for pairs in stored.live]
    return [*gates, compared([pair for pairs in stored.live for pair in pairs], JUDGED)] if len(gates) > 1 else gates


def _planted(stored: Stored, plant: Plant) -> list[Choices]:
    """Each five runs of a plant that have a base run: one independent comparison."""
    bases = stored.bases.get(plant.experiment, {})
    heads = [head for head in stored.heads.get(plant.name, ()) if head.seed in bases]
    groups = [heads[at : at + MIN_PAIRS] for at in range(0, len(heads) - MIN_PAIRS + 1, MIN_PAIRS)]
    return [against_choices(group, bases, JUDGED) for group in groups]


def problems(found: Findings) -> list[str]:
    """What must not be, one sentence each."""
    texts = [
        f"False alarms with {pairs} pairs: the upper bound is {bound:.2%} (at most {MOST_FALSE:.0%})."
        for pairs, bound in found.bounds.items()
        if bound > MOST_FALSE
    ]
    if not found.bounds:
        texts.append("The rate of false alarms is unknown: too few pairs count.")
    texts += [f"A live comparison failed: {one.why[0]}." for one in found.live if one.verdict == "fail"]
    return texts


def report_text(stored: Stored, found: Findings) -> str:
    """All tables as Markdown, with what is missing and where the runs are from."""
    parts = [_missing(stored, found)]
    if found.verdicts:
        parts += [_false_alarms(stored, found), _measures(stored, found)]
    if found.live:
        parts.append(_live_table(stored, found))
    if found.planted:
        parts.append(_planted_table(stored, found))
    if any(found.sizes.values()):
        parts.append(_size_table(found))
    if stored.commits:
        parts.append(_origin(stored))
    return "\n\n".join(part for part in parts if part)


def _missing(stored: Stored, found: Findings) -> str:
    lines = []
    if stored.unplayed:
        lines.append(f"{_runs(stored.unplayed)} not played yet: `python -m bench.gate_honesty`.")
    if stored.doubted:
        lines.append(
            f"{_runs(stored.doubted)} not counted, because the machine was in doubt or the run broke: `--replay`."
        )
    few = [pairs for pairs in PAIRS if pairs not in found.verdicts]
    if few:
        counts = " or ".join(map(str, few))
        lines.append(
            f"No table of comparisons with {counts} pairs: {len(stored.pairs)} of {stored.wanted} pairs of equal runs "
            f"are stored, and {2 * few[0]} are needed at least."
        )
    late = [plant.name for plant in stored.plants if plant.name not in found.planted]
    if late:
        lines.append(f"Fewer than {MIN_PAIRS} pairs of runs of: {', '.join(late)}.")
    return "\n".join(f"- {line}" for line in lines)


def _runs(count: int) -> str:
    return "1 run is" if count == 1 else f"{count} runs are"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def _false_alarms(stored: Stored, found: Findings) -> str:
    rows = [
        (
            str(pairs),
            f"{one.verdicts['fail']:,} of {one.draws:,}",
            f"{upper_bound(one.verdicts['fail'], one.draws):.2%}",
            f"{found.bounds[pairs]:.2%}",
            f"{one.share('pass'):.1%}",
            f"{one.share('inconclusive'):.1%}",
        )
        for pairs, one in found.verdicts.items()
    ]
    heads = ("pairs", "false alarms", "bound, these runs", "bound, new runs", "pass", "inconclusive")
    order = "differ" if found.order_p < ORDER_MATTERS else "do not differ"
    return (
        f"**False alarms.** Comparisons drawn from {len(stored.pairs)} pairs of equal runs of `{stored.experiment}`. "
        f"Bounds: upper 95 %.\n\n{_table(heads, rows)}\n\nFirst and second runs of a seed {order} "
        f"(smallest corrected p: {found.order_p:.2g})."
    )


def _measures(stored: Stored, found: Findings) -> str:
    rows = []
    for one in found.judged:
        count, largest = found.beyond[one.label]
        shares = [
            f"{_share(each.failed[one.label], each.draws)} / {_share(each.undecided[one.label], each.draws)}"
            for each in found.verdicts.values()
        ]
        rows.append((f"`{one.label}`", amount_text(one), f"{count} of {len(stored.pairs)}", f"{largest:.2g}", *shares))
    heads = ["measure", "tolerance", "pairs beyond it", "largest difference, in tolerances"]
    least = ", ".join(
        f"{least_beyond(pairs, ALPHA / max(1, one.tested))} of {pairs}" for pairs, one in found.verdicts.items()
    )
    return (
        "**By measure.** Share of *fail* / *inconclusive* for each number of pairs. A measure can only fail where at "
        f"least {least} pairs are worse by more than the tolerance.\n\n"
        + _table([*heads, *(f"{pairs} pairs" for pairs in found.verdicts)], rows)
    )


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.2g}%" if count else "0"


def _live_table(stored: Stored, found: Findings) -> str:
    rows = []
    for number, one in enumerate(found.live):
        gate = stored.live_verdicts[number] if number < len(stored.live_verdicts) else "all gates together"
        rows.append((_range(one.seeds), str(one.pairs), gate, one.verdict, "; ".join(one.why)))
    return "**Live gates** against the same stack.\n\n" + _table(
        ("seeds", "pairs", "the gate said", "judged again", "why"), rows
    )


def _range(seeds: Sequence[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if seeds else "none"


def _planted_table(stored: Stored, found: Findings) -> str:
    rows, caught, played = [], 0, 0
    for plant in stored.plants:
        groups = found.planted.get(plant.name, ())
        for group in groups:
            caught, played = caught + (group.found == group.choices), played + 1
            largest = sorted(group.change.items(), key=lambda item: -item[1])[:_NAMED]
            by = ", ".join(f"`{name}` ({count})" for name, count in group.by.most_common(_NAMED)) or "none"
            by += f" and {len(group.by) - _NAMED} more" if len(group.by) > _NAMED else ""
            changes = ", ".join(f"`{name}` {_tolerances(size)}" for name, size in largest if size > 0) or "none"
            rows.append((plant.name, plant.experiment, f"{group.found} of {group.choices}", by, changes))
    heads = (
        "planted",
        "experiment",
        "choices of base runs that found it",
        "found by (choices)",
        "worse by, in tolerances",
    )
    return (
        f"**Planted regressions**, five pairs each.\n\n{_table(heads, rows)}\n\nFound with every choice: {caught} of "
        f"{played} independent comparisons (lower 95 % bound of the share: {lower_bound(caught, played):.0%}). The "
        "choices of one row share the runs of the head: they are one comparison, not many."
    )


def _tolerances(size: float) -> str:
    return "never" if math.isinf(size) else f"{size:.2g}"


def _size_table(found: Findings) -> str:
    rows = []
    kept: list[int] = []
    for one in found.judged:
        cells = []
        for pairs in found.verdicts:
            dose = found.sizes.get((one.label, pairs))
            cells.append("not finite in every run" if dose is None else _dose_text(dose, one))
            if dose is not None:
                kept.append(dose.against_stated)
        rows.append((f"`{one.label}`", amount_text(one), *cells))
    return (
        "**The size that is found** in 99 % of the drawn comparisons, in brackets what those state as found with 99 % "
        "(5th to 95th percentile).\n\n"
        + _table(["measure", "tolerance", *(f"{pairs} pairs" for pairs in found.verdicts)], rows)
        + f"\n\nOf {len(kept)} sizes, {kept.count(0)} are within the brackets, {kept.count(-1)} are smaller (the "
        f"comparisons promise too little) and {kept.count(1)} are larger (they promise too much)."
    )


def _dose_text(dose: Dose, tolerance: Tolerance) -> str:
    size = "none" if math.isinf(dose.size) else size_text(dose.size, tolerance)
    low, _, high = (size_text(one, tolerance) for one in dose.stated)
    return f"{size} ({low if low == high else f'{low} to {high}'})"


def _origin(stored: Stored) -> str:
    lines = [
        f"{stored.hours:.1f} hours of runs of commit {', '.join(stored.commits)}, on {stored.machine}; load average at "
        f"the start of a run at most {stored.busiest:.1f}."
    ]
    if len(stored.commits) > 1:
        lines.append(f"The runs come from {len(stored.commits)} commits: `--again` discards them.")
    if any(one.endswith(CHANGED) for one in stored.commits):
        lines.append(f"`{CHANGED}`: files of the checkout differed from the commit.")
    return " ".join(lines)
