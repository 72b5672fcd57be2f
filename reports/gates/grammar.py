"""Parses gates: conditions on a run, one line of text each.

    measure[.stat] [in|during PHASE] [for pool=X|tenant=Y|tier=Z] OP VALUE [unit | x baseline | %]

    ttft.p99 during fault <= 2.5 x baseline
    session_success >= 97%
    failover.max <= 5 s

An unknown name is an error with a suggestion, never a gate that passes. `reports.gates.judging` judges gates.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, Literal

from reports.gates.operators import MISSPELT, OPERATORS
from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import Kind, MeasureSpec, Unit, quantile_of
from reports.shared.errors import UserError, did_you_mean
from reports.shared.phases import GATE_PHASES, PHASES
from reports.shared.thresholds import Z_95

__all__ = ["Gate", "GateError", "OnInconclusive", "SamplesNeeded", "measure_names", "parse_gate", "samples_needed"]

OnInconclusive = Literal["pass", "fail"]

_KEYS: Final = ("pool", "tenant", "tier")
_FORM: Final = "measure[.stat] [in|during PHASE] [for pool=X|tenant=Y|tier=Z] OP VALUE [unit | x baseline | %]"
_HEAD = re.compile(r"(?P<measure>[A-Za-z_]\w*)(?:\.(?P<stat>[A-Za-z]\w*(?:\.\d+)?))?(?P<rest>.*)", re.DOTALL)
_OPERATOR = re.compile("|".join(sorted(map(re.escape, [*OPERATORS, *MISSPELT]), key=len, reverse=True)))
_PHASE = re.compile(r"(?:in|during)\s+(?:the\s+)?(?P<phase>\S+)")
_WHERE = re.compile(r"for\s+(?P<key>[A-Za-z_]\w*)\s*=\s*(?P<value>[\w.:/@-]+)")
_VALUE = re.compile(r"(?P<usd>\$)?\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>.*)")
_SECONDS: Final = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
}
_UNITS: Final[dict[Unit, dict[str, float]]] = {
    "s": {"": 1.0, **_SECONDS},
    "share": {"": 1.0, "%": 0.01},
    "count": {"": 1.0},
    "x": {"": 1.0, "x": 1.0},
    "tok/s": {"": 1.0, "tok/s": 1.0, "tokens/s": 1.0},
    "USD": {"": 1.0, "USD": 1.0, "usd": 1.0},
    "sessions/s": {"": 1.0, "sessions/s": 1.0, "/s": 1.0},
}
_EXAMPLE: Final[dict[Unit, str]] = {
    "s": "1.5 s or 150 ms",
    "share": "97%",
    "count": "0",
    "x": "1.05",
    "tok/s": "900 tok/s",
    "USD": "2.50 USD",
    "sessions/s": "6 sessions/s",
}


class GateError(UserError):
    """Text that is not a valid gate. `message` says what is wrong, `remedy` what would be right."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}\n    {remedy}")


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition on one measure of a run.

    `value` is in `unit`: seconds, a share between 0 and 1, a count, or, with `relative_to_baseline`, a factor.
    `stat` is "" for the measure's name alone. `phase` None means baseline + fault + recovery. `where` is a key and its
    value, for example ("pool", "tpu"). `on_inconclusive` replaces the verdict "inconclusive".
    """

    text: str
    measure: str
    stat: str
    phase: str | None
    where: tuple[str, str] | None
    op: str
    value: float
    unit: Unit
    relative_to_baseline: bool
    on_inconclusive: OnInconclusive | None = None

    @property
    def spec(self) -> MeasureSpec:
        """The specification of its measure."""
        return CATALOGUE[self.measure]

    @property
    def kind(self) -> Kind:
        """The kind of its statistic, which decides how it is judged."""
        return self.spec.kind_of(self.stat)

    @property
    def own_unit(self) -> Unit:
        """The unit of the measured value, also where it is compared with the baseline."""
        return self.spec.unit_of(self.stat)

    @property
    def name(self) -> str:
        """The measure with its statistic, for example "ttft.p95"."""
        return f"{self.measure}.{self.stat}" if self.stat else self.measure

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases that it covers."""
        return GATE_PHASES if self.phase is None else (self.phase,)


@dataclass(frozen=True, slots=True)
class SamplesNeeded:
    """The minimum sample size with which a gate can pass: `count` of `what` (calls, sessions, ...)."""

    count: int
    what: str


def measure_names() -> tuple[str, ...]:
    """The names of all measures."""
    return tuple(CATALOGUE)


def parse_gate(text: str, on_inconclusive: OnInconclusive | None = None) -> Gate:
    """Parse one gate. Raises GateError."""
    line = " ".join(text.split())
    head = _HEAD.fullmatch(line)
    if head is None:
        raise GateError(f"{text!r} is not a gate", f"write it as: {_FORM}")
    spec = _measure(head["measure"])
    stat = _stat(spec, head["stat"] or "", line)
    rest = head["rest"]
    masked = re.sub(r"\bfor\s+\w+\s*=(?!=)", lambda m: " " * len(m[0]), rest)  # this "=" is not a comparison
    found = _OPERATOR.search(masked)
    if found is None:
        raise GateError(f"{text!r} has no comparison", f"end it with one, for example: {_example(spec, stat)}")
    op = found[0]
    if op not in OPERATORS:
        known = ", ".join(OPERATORS)
        raise GateError(f"{op!r} is not a comparison", f"did you mean {MISSPELT[op]!r}? The comparisons are {known}")
    phase, where = _qualifiers(spec, rest[: found.start()].strip())
    value, unit, relative = _value(spec, stat, rest[found.end() :].strip())
    if relative and phase == "baseline":
        raise GateError(f"{text!r} compares the baseline with itself", "name another phase, or remove 'x baseline'")
    if relative and spec.unit_of(stat) == "USD" and not stat:
        raise GateError(f"{spec.name} grows with the length of a phase", f"compare {spec.name}.{spec.stats[0]} with it")
    if relative and not spec.phased:
        raise GateError(f"{spec.name} has no value in the baseline to compare with", "compare it with a number")
    return Gate(line, spec.name, stat, phase, where, op, value, unit, relative, on_inconclusive)


def samples_needed(gate: Gate) -> SamplesNeeded | None:
    """The minimum sample size with which `gate` can pass; None for facts and ratios.

    Percentiles: the two-sided 95 % interval of a quantile exists from ln(0.025) / ln(q) samples (order statistics).
    Rates: the Wilson bound of n successes in n trials is n / (n + z^2), solved for n.
    """
    if gate.kind == "percentile":
        q = quantile_of(gate.stat)
        return SamplesNeeded(math.ceil(math.log(0.025) / math.log(max(q, 1 - q))), gate.spec.samples)
    if gate.kind == "rate" and not gate.relative_to_baseline:
        limit = OPERATORS[gate.op].limit
        bound = gate.value if limit == "minimum" else 1 - gate.value
        if limit in ("equal", "unequal") or not 0 < bound < 1:
            return SamplesNeeded(1, gate.spec.samples)
        return SamplesNeeded(math.ceil(Z_95**2 * bound / (1 - bound) - 1e-9), gate.spec.samples)
    return None


def _measure(name: str) -> MeasureSpec:
    spec = CATALOGUE.get(name)
    if spec is None:
        raise GateError(f"there is no measure {name!r}", did_you_mean(name, CATALOGUE, of="the measures are"))
    return spec


def _stat(spec: MeasureSpec, stat: str, line: str) -> str:
    if spec.has_stat(stat):
        return stat
    known = [s for s in spec.stats if s != "p*"]
    if "p*" in spec.stats:
        known = ["p50", "p95", "p99", *known]
    if not stat:
        raise GateError(
            f"{spec.name} needs a statistic", f"write {spec.name}.{known[0]}; there are: {', '.join(known)}"
        )
    if not known:
        raise GateError(f"{spec.name} has no statistic {stat!r}", f"write {spec.name} alone")
    raise GateError(f"{spec.name} has no statistic {stat!r}", did_you_mean(stat, known, of="the statistics are"))


def _qualifiers(spec: MeasureSpec, text: str) -> tuple[str | None, tuple[str, str] | None]:
    phase: str | None = None
    where: tuple[str, str] | None = None
    while text:
        if phase is None and (found := _PHASE.match(text)):
            phase = _phase(spec, found["phase"])
        elif where is None and (found := _WHERE.match(text)):
            where = _where(spec, found["key"], found["value"])
        else:
            raise GateError(f"{text!r} is not valid in a gate", f"write it as: {_FORM}")
        text = text[found.end() :].strip()
    return phase, where


def _phase(spec: MeasureSpec, phase: str) -> str:
    if phase not in PHASES:
        raise GateError(f"there is no phase {phase!r}", did_you_mean(phase, PHASES, of="the phases are"))
    if not spec.phased:
        raise GateError(
            f"{spec.name} is about the fault as a whole, not about a phase",
            f"remove 'in {phase}' / 'during {phase}'",
        )
    return phase


def _where(spec: MeasureSpec, key: str, value: str) -> tuple[str, str]:
    if key not in _KEYS:
        raise GateError(f"a gate cannot be narrowed by {key!r}", did_you_mean(key, _KEYS, of="the keys are"))
    if key not in spec.where:
        can = f"it can be narrowed by {' and '.join(spec.where)}" if spec.where else "remove the 'for'"
        raise GateError(f"{spec.name} is not measured by {key}", can)
    return key, value


def _value(spec: MeasureSpec, stat: str, text: str) -> tuple[float, Unit, bool]:
    found = _VALUE.fullmatch(text)
    if found is None:
        raise GateError(f"{text!r} is not a number", f"for example: {_example(spec, stat)}")
    number, unit, base = float(found["number"]), found["unit"].strip(), spec.unit_of(stat)
    if re.fullmatch(r"(?:x|times)\s*baseline", unit):
        if number <= 0:
            raise GateError(f"the factor in {text!r} must be above 0", "for example: 2.5 x baseline")
        return number, "x", True
    if found["usd"]:
        unit = unit or "USD"
    factors = _UNITS[base]
    if unit not in factors:
        raise GateError(
            f"{unit!r} is not a unit of {spec.name}",
            f"write the value as {_EXAMPLE[base]}, or as a factor: 1.5 x baseline",
        )
    value = number * factors[unit]
    if base == "share" and (value > 1 or (value < 0 and spec.kind == "rate")):
        percent = f"did you mean {number:g}%?" if not unit and 1 < number <= 100 else "write a share from 0% to 100%"
        raise GateError(f"{text!r} is not a share between 0 and 100%", percent)
    if base == "count" and value != int(value):
        raise GateError(
            f"{spec.name} is a count, so it cannot be compared with {number:g}", "compare it with a whole number"
        )
    return value, base, False


def _example(spec: MeasureSpec, stat: str) -> str:
    """A valid gate on the measure."""
    name = f"{spec.name}.{stat}" if stat else spec.name
    unit = spec.unit_of(stat)
    operator = ">=" if unit in ("share", "sessions/s") else "<="
    return f"{name} {operator} {_EXAMPLE[unit].partition(' or ')[0]}"
