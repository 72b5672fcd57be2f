"""Durations, percentages and the version of the format as users write them in files: `15s`, `300ms`, `2m`, `30%`, `1`.

Annotated types for pydantic models and standard dataclasses. This module does not import pydantic, so that processes of
the stack under test can import dataclasses annotated with them.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal

__all__ = ["Duration", "FormatVersion", "Mistake", "Percentage", "duration_s", "duration_text", "fraction"]


class Mistake(ValueError):
    """A wrong value and its remedy. Raised by validators; `validate` converts it to a `Problem`."""

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}. {remedy}" if remedy else what)


_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*(ms|s|min|m|h)?")
_PERCENTAGE: Final = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*%")
_DURATION_REMEDY: Final = "write a number with a unit: 300ms, 15s, 2m or 1h (a plain number is seconds)"
_PERCENTAGE_REMEDY: Final = "write a percentage (30%) or a fraction between 0 and 1 (0.3)"


def duration_s(value: object) -> float:
    """Seconds of `15s`, `300ms`, `2m`, `1h` or a plain number of seconds. Raises `Mistake`, for negative ones too."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        # rounded to the nanosecond: 300 ms is 0.3, not 0.30000000000000004
        seconds = round(float(found[1]) * _UNITS_S[found[2] or "s"], 9)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = _as_float(value)
    else:
        raise Mistake(f"{_shown(value)} is not a duration", _DURATION_REMEDY)
    if not math.isfinite(seconds):
        raise Mistake(f"{_shown(value)} is not a duration", _DURATION_REMEDY)
    if seconds < 0:
        raise Mistake(f"a duration cannot be negative: {_shown(value)}", "write a duration of 0 or more")
    return seconds


def _as_float(value: float) -> float:
    """Infinite for a whole number of more than 308 digits."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def fraction(value: object) -> float:
    """A fraction between 0 and 1 from `30%` or `0.3`. Raises `Mistake`."""
    if isinstance(value, str) and (found := _PERCENTAGE.fullmatch(value.strip())):
        share = round(float(found[1]) / 100, 9)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        share = _as_float(value)
    else:
        raise Mistake(f"{_shown(value)} is not a percentage", _PERCENTAGE_REMEDY)
    if not 0 <= share <= 1:
        raise Mistake(f"{_shown(value)} is not between 0% and 100%", _PERCENTAGE_REMEDY)
    return share


def _format_version(value: object) -> object:
    if isinstance(value, (bool, float)):  # both can be equal to 1
        raise Mistake(f"must be 1, not {str(value).lower()}", "write brownout: 1")
    return value


def duration_text(seconds: float) -> str:
    """A duration as text: `300 ms`, `15 s`, `2 min 5 s`."""
    if seconds < 1 and seconds != 0:
        return f"{seconds * 1000:g} ms"
    if seconds < 120:
        return f"{seconds:g} s"
    whole, rest = divmod(seconds, 60)
    return f"{whole:g} min" + (f" {rest:g} s" if rest else "")


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else "an empty value" if value is None else str(value)


class _Rule:
    """The validator and the JSON Schema of a value, for pydantic. pydantic is not imported here."""

    def __init__(self, read: Any, json_schema: dict[str, Any]) -> None:
        self._read = read
        self._json_schema = json_schema

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return dict(self._json_schema)


_NUMBER: Final = {"type": "number", "minimum": 0}

Duration = Annotated[
    float,
    _Rule(
        duration_s,
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|min|m|h)?$"},
            ],
            "description": "A duration: 300ms, 15s, 2m, 1h; a plain number is seconds.",
        },
    ),
]
"""Seconds, written as `300ms`, `15s`, `2m`, `1h` or a plain number of seconds; never negative."""

Percentage = Annotated[
    float,
    _Rule(
        fraction,
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"},
            ],
            "description": "A share: 30%, or a fraction between 0 and 1.",
        },
    ),
]
"""A fraction between 0 and 1, written as `30%` or `0.3`."""

FormatVersion = Annotated[Literal[1], _Rule(_format_version, {"const": 1, "type": "integer"})]
"""The version of a file's format: the whole number 1."""
