"""When to stop a run: `abort if session_success < 50% for 5s`.

A guardrail evaluates the load generator's counters (`docs/wire.md`) of the last 30 s (or since the load began, if
that is less) at every post, and in between at the runner's own times, so that counters which do not come delay nothing.
It stops the run when its condition was true at every evaluation for as long as it says. So a
short burst of losses, as when a pool dies, does not stop a run, and lasting losses do. Pure: time and counters are
passed in.

A share of fewer than `LEAST_SAMPLES` has no value and stops nothing. For a target that answers no request at all, watch
`goodput`, which is 0 then.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import ge, gt, le, lt
from typing import Any, Final, NamedTuple

from reports.measures.value_range import ValueRange
from reports.shared.documents import Mistake, did_you_mean, duration_s

__all__ = [
    "COMPARISONS",
    "LEAST_SAMPLES",
    "MEASURES",
    "Guardrail",
    "GuardrailWatch",
    "Reading",
    "Tripped",
    "nearness",
    "parse_guardrail",
]

LEAST_SAMPLES: Final = 5
"""Sessions or calls that must have ended in the last 30 s before a share of them has a value."""

LOOK_BACK_S: Final = 30.0
"""The window of a value, seconds; a guardrail with a longer time uses that time."""


class _Sample(NamedTuple):
    """The cumulative counters at one time (seconds)."""

    at_s: float
    succeeded: int
    lost: int
    ok: int
    failed: int
    good: int
    tokens: int
    ttft_s: float | None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= LEAST_SAMPLES else None


def _session_success(first: _Sample, last: _Sample) -> float | None:
    succeeded, lost = last.succeeded - first.succeeded, last.lost - first.lost
    return _share(succeeded, succeeded + lost)


def _error_rate(first: _Sample, last: _Sample) -> float | None:
    failed = last.failed - first.failed
    return _share(failed, failed + last.ok - first.ok)


def _slo_attainment(first: _Sample, last: _Sample) -> float | None:
    return _share(last.good - first.good, last.ok + last.failed - first.ok - first.failed)


def _goodput(first: _Sample, last: _Sample) -> float | None:
    """Output tokens per second times the share of good calls: an estimate, from what is known during the run."""
    ended = last.ok + last.failed - first.ok - first.failed
    good = (last.good - first.good) / ended if ended else 0.0
    return (last.tokens - first.tokens) * good / (last.at_s - first.at_s)


@dataclass(frozen=True, slots=True)
class _Measure:
    """`of(first, last)`: the value between two posts, None: no value. `unit`: "share", "s", "tok/s", "". `values`: the
    values that it can have."""

    title: str
    unit: str
    values: ValueRange
    of: Callable[[_Sample, _Sample], float | None]


_SHARE: Final = ValueRange(0, 1, exact=True)
_COUNT: Final = ValueRange(0, step=1)


MEASURES: Final[dict[str, _Measure]] = {
    "session_success": _Measure("sessions that succeeded, of those that ended", "share", _SHARE, _session_success),
    "error_rate": _Measure("calls that failed, of those that ended", "share", _SHARE, _error_rate),
    "slo_attainment": _Measure("good calls, of those that ended", "share", _SHARE, _slo_attainment),
    "goodput": _Measure("tokens of good calls a second (an estimate)", "tok/s", ValueRange(0), _goodput),
    "sessions_lost": _Measure(
        "sessions lost in the window", "", _COUNT, lambda first, last: float(last.lost - first.lost)
    ),
    "calls_failed": _Measure(
        "calls failed in the window", "", _COUNT, lambda first, last: float(last.failed - first.failed)
    ),
    "ttft": _Measure(
        "median time to first token of the last 50 calls", "s", ValueRange(0, above=True), lambda _, last: last.ttft_s
    ),
}
"""The measures that a guardrail may watch."""

COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
"""The comparisons of a guardrail by their text."""

_ANY_OP: Final = "|".join(sorted(COMPARISONS, key=len, reverse=True))
_FORM: Final = "write it as: abort if session_success < 50% for 5s"
_TEXT: Final = re.compile(
    rf"abort\s+if\s+(?P<measure>[\w.]+)\s*(?P<op>{_ANY_OP})\s*(?P<value>\S.*?)(?:\s+for\s+(?P<window>\S.*))?",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>.*)")


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One guardrail. `value`: a share, seconds, tokens per second or a count. `window_s`: how long it must hold."""

    text: str
    measure: str
    op: str
    value: float
    window_s: float


class Tripped(NamedTuple):
    """A guardrail that stops the run, and the value that it observed."""

    text: str
    value: float


class Reading(NamedTuple):
    """A guardrail now: the value of its measure, None without one; how long its condition has been true, seconds."""

    guardrail: Guardrail
    value: float | None
    true_for_s: float


def nearness(reading: Reading) -> float | None:
    """How near a guardrail is to stopping the run: 1, its condition is true; less, not yet. None: it has no value."""
    guardrail, value = reading.guardrail, reading.value
    if value is None:
        return None
    if COMPARISONS[guardrail.op](value, guardrail.value):
        return 1.0
    low, high = sorted((abs(value), abs(guardrail.value)))
    return round(low / high, 3) if high else 1.0


def parse_guardrail(text: object) -> Guardrail:
    """Read one guardrail. Raises `reports.shared.documents.Mistake`."""
    if isinstance(text, Guardrail):
        return text
    if not isinstance(text, str):
        raise Mistake("a guardrail must be text", _FORM)
    line = " ".join(text.split())
    found = _TEXT.fullmatch(line)
    if found is None:
        raise Mistake(f'"{line}" is not a guardrail', _FORM)
    name = found["measure"]
    if name not in MEASURES:
        raise Mistake(f'a guardrail cannot watch "{name}"', did_you_mean(name, MEASURES, of="it can watch"))
    if found["window"] is None:
        raise Mistake(f'"{line}" does not say for how long', f"{_FORM} (how long it must hold)")
    window_s = duration_s(found["window"])
    if window_s < 1:
        raise Mistake(f"{window_s:g} s is too short to decide anything", "watch for at least 1s")
    return Guardrail(line, name, found["op"], _value(found["value"], MEASURES[name].unit, name), window_s)


def _value(text: str, unit: str, measure: str) -> float:
    if unit == "s":
        return duration_s(text)
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise Mistake(f'"{text}" is not a number', _FORM)
    number, given = float(found["number"]), found["unit"]
    if unit == "share":
        if given == "%":
            number /= 100
        if given not in ("", "%") or number > 1:
            raise Mistake(f'"{text}" is not a share', f"{measure} is a share: write it as 50%")
    elif given not in ("", unit):
        raise Mistake(
            f'"{given}" is not a unit of {measure}', f"write the number alone{f' or in {unit}' if unit else ''}"
        )
    return number


@dataclass(slots=True)
class GuardrailWatch:
    """Evaluates a run's guardrails. Pass it every post of the load generator's counters, in order of time."""

    guardrails: Sequence[Guardrail]
    _samples: deque[_Sample] = field(default_factory=deque)
    _bad_since_s: dict[Guardrail, float] = field(default_factory=dict)

    def observe(self, at_s: float, data: Mapping[str, Any]) -> Tripped | None:
        """Counters at a time (seconds, any zero). Returns the first guardrail that stops the run; None: go on."""
        if not self.guardrails or data.get("load_started") is None:
            return None
        sessions, calls, ttft_ms = data["sessions"], data["calls"], data.get("ttft_ms_recent")
        last = _Sample(
            at_s=at_s,
            succeeded=sessions["succeeded"],
            lost=sessions["lost"],
            ok=calls["ok"],
            failed=calls["failed"],
            good=data["good_calls"],
            tokens=data["output_tokens"],
            ttft_s=None if ttft_ms is None else ttft_ms / 1000,
        )
        samples = self._samples
        if samples and at_s <= samples[-1].at_s:
            return None
        samples.append(last)
        longest_s = max(_look_back_s(guardrail) for guardrail in self.guardrails)
        while len(samples) > 1 and samples[1].at_s <= at_s - longest_s:
            samples.popleft()
        return self._judge(last)

    def tick(self, at_s: float) -> Tripped | None:
        """Nothing was posted since the last time: evaluate with the same counters, now."""
        if not self._samples or at_s <= self._samples[-1].at_s:
            return None
        return self._judge(self._samples[-1]._replace(at_s=at_s))

    def readings(self) -> list[Reading]:
        """Each guardrail with its value at the last post: how far it is from stopping the run."""
        if not self._samples:
            return [Reading(guardrail, None, 0.0) for guardrail in self.guardrails]
        last = self._samples[-1]
        return [
            Reading(guardrail, self._value(guardrail, last), last.at_s - self._bad_since_s.get(guardrail, last.at_s))
            for guardrail in self.guardrails
        ]

    def _judge(self, last: _Sample) -> Tripped | None:
        at_s = last.at_s
        for guardrail in self.guardrails:
            value = self._value(guardrail, last)
            if value is None or not COMPARISONS[guardrail.op](value, guardrail.value):
                self._bad_since_s.pop(guardrail, None)
            elif at_s - self._bad_since_s.setdefault(guardrail, at_s) >= guardrail.window_s:
                return Tripped(guardrail.text, value)
        return None

    def _value(self, guardrail: Guardrail, last: _Sample) -> float | None:
        """The measure over the window of the guardrail."""
        first = self._samples[0]
        for sample in self._samples:
            if sample.at_s > last.at_s - _look_back_s(guardrail):
                break
            first = sample
        return None if first is last else MEASURES[guardrail.measure].of(first, last)


def _look_back_s(guardrail: Guardrail) -> float:
    return max(LOOK_BACK_S, guardrail.window_s)
