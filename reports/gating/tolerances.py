"""How much worse each measure may become before that is a regression, and which measures are judged.

    ttft.p95=20%                     relative: 20 % above the base
    session_success=1.5 points       shares: percentage points
    sessions_lost=2                  counts: a run
    time_to_recover=3 s              absolute, in the unit of the measure
    ttft.p95 during fault=30%        in one phase
    ttft.p95=off                     not judged

Few measures are judged: each one more makes all of them harder to find (Holm), and all must be decided for a pass. The
others are shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from reports.gates.grammar import Gate, GateError, parse_gate
from reports.gates.operators import OPERATORS
from reports.gating.run_values import WHOLE_RUN, spec_of, stat_of, where_of
from reports.measures.catalogue import CATALOGUE
from reports.shared.errors import UserError, did_you_mean
from reports.shared.phases import GATE_PHASES
from reports.shared.wording import number_text, value_text

__all__ = ["DEFAULTS", "Better", "Tolerance", "amount_text", "declared_tolerances", "parse_tolerance", "size_text"]

Better = Literal["lower", "higher"]


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much worse one measure may become. `phase`: None for the whole run.

    `size`: a share of the base where `relative` (0.1: 10 %), else in the unit of the measure. `judged`: False: only
    shown. `typed`: the user asked for this measure, so it decides nothing silently where no run has it.
    """

    measure: str
    phase: Literal["baseline", "fault", "recovery"] | None
    size: Annotated[float, Meta(gt=0)]
    relative: bool
    better: Better
    judged: bool = True
    typed: bool = False

    @property
    def unit(self) -> str:
        """The unit of the measure. Raises ValueError where there is no such measure."""
        spec = spec_of(self.measure)
        if spec is None or not spec.has_stat(stat_of(self.measure)):
            raise ValueError(f"there is no measure {self.measure!r}")
        return spec.unit_of(stat_of(self.measure))

    @property
    def title(self) -> str:
        """The measure in words."""
        spec, where = CATALOGUE[self.measure.partition(" ")[0].partition(".")[0]], where_of(self.measure)
        return f"{spec.title} ({where})" if where else spec.title

    @property
    def label(self) -> str:
        """The measure and its phase: `ttft.p95 during fault`."""
        return f"{self.measure} during {self.phase}" if self.phase else self.measure


def _one(measure: str, size: float, kind: str = "", *, higher: bool = False, phase: str | None = None) -> Tolerance:
    return Tolerance(
        measure,
        phase,  # type: ignore[arg-type]
        size,
        "relative" in kind,
        "higher" if higher else "lower",
        "shown" not in kind,
    )


DEFAULTS: Final = (
    _one("sessions_lost", 1.0),
    _one("slo_attainment", 0.05, higher=True, phase="fault"),
    _one("goodput", 0.10, "relative", higher=True),
    _one("ttft.p95", 0.20, "relative"),
    _one("tpot.p95", 0.15, "relative"),
    _one("e2e.p95", 0.15, "relative"),
    _one("failover.p95", 1.0),
    _one("time_to_recover", 3.0),
    _one("retry_amplification", 0.05, "relative"),
    _one("cost.per_1k_sessions", 0.10, "relative"),
    # shown: they say the same as one of the above, or vary too much between runs to decide
    _one("session_success", 0.02, "shown", higher=True),
    _one("ttft.p50", 0.15, "relative, shown"),
    _one("failover.max", 2.0, "shown"),
    _one("time_to_detect", 1.0, "shown"),
    _one("prefill_amplification", 0.10, "relative, shown"),
    _one("wasted_tokens", 0.02, "shown"),
)
"""The judged measures, then those that are only shown. A measure that no run has is left out."""

_BY_UNIT: Final = {"share": 0.03, "count": 1.0}
_RELATIVE: Final = 0.15
"""Default of other units, relative. Seconds about the fault, which may be 0: `_ABOUT_FAULT_S`."""
_ABOUT_FAULT_S: Final = 2.0

_SIZE: Final = re.compile(r"\+?(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>%|[A-Za-z/]*)")
_SECONDS: Final = {"s": 1.0, "ms": 0.001, "min": 60.0}
_ABSOLUTE: Final[dict[str, dict[str, float]]] = {
    "s": _SECONDS,
    "share": {"points": 0.01, "point": 0.01, "pp": 0.01},
    "count": {"": 1.0},
    "x": {"": 1.0, "x": 1.0},
    "tok/s": {"tok/s": 1.0},
    "USD": {"USD": 1.0, "usd": 1.0},
    "sessions/s": {"sessions/s": 1.0},
}
_EXAMPLE: Final = {
    "s": "20% or 500 ms",
    "share": "2 points",
    "count": "1",
    "x": "5% or 0.05",
    "tok/s": "10% or 50 tok/s",
    "USD": "10% or 0.50 USD",
    "sessions/s": "10% or 0.5 sessions/s",
}
_FORM: Final = "write it as MEASURE=SIZE, for example ttft.p95=20% or session_success=2 points, or MEASURE=off"


def declared_tolerances(
    texts: Sequence[str] = (), gates: Iterable[Gate] = (), base: Sequence[Tolerance] = DEFAULTS
) -> tuple[Tolerance, ...]:
    """The tolerances of `base`, the measures of an experiment's gates (shown only), and over both the user's `texts`.

    A text without a phase is about every phase of the measure in `base`, or else the whole run. Raises UserError.
    """
    found = {(one.measure, one.phase): one for one in base}
    for gate in gates:
        shown = _of_gate(gate)
        if shown is not None:
            found.setdefault((shown.measure, shown.phase), shown)
    standard = [(one.measure, one.phase) for one in base]
    for text in texts:
        given = parse_tolerance(text)
        own = [key for key in standard if key[0] == given.measure]
        whole = not _names_a_phase(text)
        keys = own if whole and own else [(given.measure, given.phase)]
        if whole and not given.judged:
            keys = [key for key in found if key[0] == given.measure]
        for measure, phase in keys:
            found[measure, phase] = msgspec.structs.replace(given, phase=phase, typed=given.judged)
    return tuple(sorted(found.values(), key=lambda one: not one.judged))


def parse_tolerance(text: str) -> Tolerance:
    """One tolerance as a user writes it; with `off`, one that is not judged. Raises UserError with what is possible."""
    name, equals, size = " ".join(text.split()).rpartition("=")
    name, size = name.strip(), size.strip()
    if not equals or not name or not size or name.endswith((">", "<", "!", "=")):
        raise UserError(f"tolerance {text!r}: it has no measure and size\n    {_FORM}")
    gate = _gate_of(text, name)
    spec, measure = gate.spec, _name(gate)
    if gate.phase is not None and gate.phase not in GATE_PHASES:
        raise UserError(f"tolerance {text!r}: {did_you_mean(gate.phase, GATE_PHASES, of='the phases are')}")
    if spec.better_of(gate.stat) == "neither":
        raise UserError(
            f"tolerance {text!r}: neither more nor fewer {spec.name} are better\n    choose another measure, such as "
            + ", ".join(one.measure for one in DEFAULTS)
        )
    if size == "off":
        return msgspec.structs.replace(_standard(gate), judged=False)
    amount, relative = _size(text, gate, size)
    return Tolerance(measure, gate.phase, amount, relative, _better(measure))  # type: ignore[arg-type]


def amount_text(tolerance: Tolerance) -> str:
    """The size of a tolerance: `20 %`, `1.5 points`, `350 ms`, `2 a run`."""
    text = size_text(tolerance.size, tolerance)
    return f"{text} a run" if tolerance.unit == "count" else text


def size_text(size: float, tolerance: Tolerance) -> str:
    """A difference on the scale of a tolerance, without its sign, with three digits."""
    if math.isinf(size):
        return "infinite"
    if tolerance.relative or tolerance.unit == "share":
        return f"{number_text(_rounded(size * 100))} {'%' if tolerance.relative else 'points'}"
    return value_text(_rounded(size), tolerance.unit)


def _rounded(size: float) -> float:
    return float(f"{abs(size):.3g}")


def _gate_of(text: str, name: str) -> Gate:
    """The grammar of gates reads the measure, its phase and what narrows it."""
    name = re.sub(rf"\s+(?:in|during)\s+(?:the\s+)?{WHOLE_RUN}\b", "", name)
    try:
        return parse_gate(f"{name} >= 0")
    except GateError as error:
        raise UserError(f"tolerance {text!r}: {error.message.replace(' >= 0', '')}\n    {error.remedy}") from error


def _names_a_phase(text: str) -> bool:
    return re.search(r"\s(?:in|during)\s", text) is not None


def _size(text: str, gate: Gate, size: str) -> tuple[float, bool]:
    unit = gate.own_unit
    wanted = f"\n    write its size as {_EXAMPLE[unit]}"
    found = _SIZE.fullmatch(size)
    if found is None:
        raise UserError(f"tolerance {text!r}: {size!r} is not a size above 0{wanted}")
    number, suffix = float(found["number"]), found["unit"]
    relative = suffix == "%" and unit not in ("share", "count")
    if not relative and suffix not in _ABSOLUTE[unit]:
        what = "a count" if unit == "count" else "a share" if unit == "share" else f"in {unit}"
        raise UserError(f"tolerance {text!r}: {gate.name} is {what}{wanted}")
    amount = number / 100 if relative else number * _ABSOLUTE[unit][suffix]
    if amount <= 0:
        raise UserError(f"tolerance {text!r}: no number of runs shows that nothing changed at all{wanted}")
    if unit == "share" and amount >= 1:
        raise UserError(f"tolerance {text!r}: a share cannot change by more than 100 points{wanted}")
    if relative and amount >= 1 and _better(_name(gate)) == "higher":
        raise UserError(f"tolerance {text!r}: {gate.name} would be allowed to fall to 0{wanted}")
    if not amount < 1e6:
        raise UserError(f"tolerance {text!r}: so large a tolerance finds nothing{wanted}")
    return amount, relative


def _name(gate: Gate) -> str:
    return f"{gate.name} for {gate.where[0]}={gate.where[1]}" if gate.where else gate.name


def _better(measure: str) -> Better:
    spec = CATALOGUE[measure.partition(" ")[0].partition(".")[0]]
    return "higher" if spec.better_of(stat_of(measure)) == "higher" else "lower"


def _standard(gate: Gate) -> Tolerance:
    """The tolerance of a measure that has none of its own: by its unit."""
    measure, unit = _name(gate), gate.own_unit
    for one in DEFAULTS:
        if one.measure == measure and one.phase == gate.phase:
            return one
    relative = unit not in _BY_UNIT and not (unit == "s" and gate.spec.about_fault)
    size = _RELATIVE if relative else _BY_UNIT.get(unit, _ABOUT_FAULT_S)
    return Tolerance(measure, gate.phase, size, relative, _better(measure))  # type: ignore[arg-type]


def _of_gate(gate: Gate) -> Tolerance | None:
    """The measure of a gate, to be shown. Its operator says which direction is good."""
    if gate.phase is not None and gate.phase not in GATE_PHASES:
        return None
    limit = OPERATORS[gate.op].limit
    better: Better = {"minimum": "higher", "maximum": "lower"}.get(limit, _better(_name(gate)))  # type: ignore[assignment]
    return msgspec.structs.replace(_standard(gate), judged=False, better=better)
