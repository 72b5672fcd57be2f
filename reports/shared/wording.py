"""Numbers, values and intervals as text, the same in the terminal, the summary, JUnit and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = [
    "SEE_WINDOWS",
    "difference_text",
    "ends_text",
    "gateway_text",
    "interval_text",
    "names_text",
    "number_text",
    "samples_text",
    "target_text",
    "value_text",
    "without_call_text",
]

SEE_WINDOWS: Final = "see the windows: the record has several"
"""Why what compares single phases is not measured over several windows of chaos by hand."""


def number_text(value: float) -> str:
    """At most four significant digits, with thousands separators and without trailing zeros; `never` if infinite."""
    if math.isinf(value):
        return "never" if value > 0 else "-infinite"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.4g}"


def names_text(names: Sequence[str]) -> str:
    """`tpu-0`, `tpu-0 and tpu-1`, `tpu-0, tpu-1 and tpu-2`."""
    *most, last = names or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def without_call_text(replicas: Sequence[str], when: str) -> str:
    """What a user should look at, where these replicas got no call. `when`: "in the baseline"."""
    them = "it" if len(replicas) == 1 else "them"
    upstream = "an upstream" if len(replicas) == 1 else "upstreams"
    return f"{names_text(replicas)} got no call {when}: does the gateway have {them} as {upstream}?"


def value_text(value: float | str | None, unit: str) -> str:
    """A value in the unit of a measure: `1.25 s`, `350 ms`, `97.1%`, `1.05x`, `$2.10`; `never` if infinite.

    Accepts values of report.json too, where an infinite value is text already.
    """
    if value is None:
        return "not measured"
    if isinstance(value, str):
        return value
    if math.isinf(value):
        return number_text(value)
    match unit:
        case "s":
            return f"{number_text(value * 1000)} ms" if 0 < abs(value) < 1 else f"{number_text(value)} s"
        case "share":
            return f"{value * 100:.4g}%"
        case "x":
            return f"{number_text(value)}x"
        case "USD":
            return f"${value:,.2f}"
        case "tok/s" | "sessions/s":
            return f"{number_text(value)} {unit}"
    return number_text(value)


def interval_text(gate: Mapping[str, Any]) -> str:
    """The interval of a gate in `report.json`: both bounds; `exact` for a fact; "" without an interval."""
    if gate["interval"] is None:
        return "exact" if gate["kind"] == "fact" and gate["value"] is not None else ""
    unit = "x" if gate["relative_to_baseline"] else gate["unit"]
    return ends_text(gate["interval"], unit)


def ends_text(interval: Sequence[float | str], unit: str) -> str:
    """Both ends of an interval: `1.2 s to 1.5 s`; `1.2 s or more` and `1.5 s or less` where an end is unknown.

    Accepts the ends in report.json too, where an infinite end is text.
    """
    low, high = interval
    unknown = high in (math.inf, "never")
    if low in (-math.inf, "-never"):
        return "unknown" if unknown else f"{value_text(high, unit)} or less"
    return f"{value_text(low, unit)} or more" if unknown else f"{value_text(low, unit)} to {value_text(high, unit)}"


def samples_text(gate: Mapping[str, Any]) -> str:
    """The samples of a gate in `report.json`: `90`, `90 (count as 32)`, `90 (count as 32) of 368 needed`."""
    counted = gate.get("effective_samples")  # missing in older reports
    text = f"{gate['samples']:,}"
    if counted is not None and round(counted) < gate["samples"]:
        text += f" (count as {round(counted):,})"
    needed = gate["samples_needed"]
    short = needed is not None and (gate["samples"] if counted is None else counted) < needed
    return f"{text} of {needed:,} needed" if short else text


def difference_text(row: Mapping[str, Any]) -> str:
    """A difference in a report's `twin` with its interval: `+1.25 s (+0.9 s to +1.6 s)`; shares in points."""
    text = _signed(row["difference"], row["unit"])
    if row["interval"] is None:
        return text
    low, high = row["interval"]
    return f"{text} ({_signed(low, row['unit'])} to {_signed(high, row['unit'])})"


def target_text(run: Mapping[str, Any], unknown: str = "unknown") -> str:
    """What a run played on: `multi-cloud`, `http://127.0.0.1:8000`, or `nginx:tuned on multi-cloud`.

    `run`: the part `run` of a report, which has no `gateway` if an older version wrote it.
    """
    front = run.get("gateway") or run["url"]
    if run["stack"] and front:
        return f"{front} on {run['stack']}"
    return str(run["stack"] or front or unknown)


def gateway_text(run: Mapping[str, Any]) -> str:
    """The real gateway that a run started: `nginx:tuned, version 1.24.0 (brownout was tested with 1.22.1)`.

    "" where the record does not say which version that was, or where the run started none.
    """
    version, tested = run.get("gateway_version"), run.get("gateway_tested")
    if not version:
        return ""
    program = run.get("gateway_program")
    choice = str(run.get("gateway") or program)
    named = f" (program {program})" if program and program != choice.partition(":")[0] else ""
    other = f" (brownout was tested with {tested})" if tested and tested != version else ""
    return f"{choice}{named}, version {version}{other}"


def _signed(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        value = -math.inf if value.startswith("-") else math.inf
    if math.isinf(value):
        return "+infinite" if value > 0 else "-infinite"
    sign = "+" if value > 0 else "-" if value < 0 else ""
    if unit == "share":
        return f"{sign}{abs(value) * 100:.3g} points"
    return sign + value_text(abs(value), unit)
