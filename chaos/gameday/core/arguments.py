"""The arguments of an action, as they came from a browser: each is checked when it is read.

Raises UserError that names the argument and says what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Final

from reports.shared.documents import Mistake, did_you_mean, duration_s
from reports.shared.errors import UserError
from reports.shared.plain_text import printable

__all__ = ["MAX_TEXT", "Arguments", "free_text"]

MAX_TEXT: Final = 2000
"""The most characters of a text that somebody writes."""
_MAX_NAME: Final = 200
_MAX_DURATION_S: Final = 6 * 3600.0
_REPLACED: Final = "\ufffd"


def free_text(value: object, name: str) -> str:
    """A text that somebody wrote: without control characters, 1 to `MAX_TEXT` characters. Raises UserError."""
    if not isinstance(value, str):
        raise UserError(f"{name} must be text")
    text = printable(value.replace("\r\n", "\n")).replace(_REPLACED, "").strip()
    if not text:
        raise UserError(f"{name} is empty\n    write something")
    if len(text) > MAX_TEXT:
        raise UserError(f"{name} has {len(text):,} characters\n    the limit is {MAX_TEXT:,}")
    return text


class Arguments:
    """The arguments of the action `do`. `finish` refuses those that were not read."""

    def __init__(self, do: str, given: Mapping[str, Any]) -> None:
        self._do = do
        self._given = given
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether it was given, and is not null."""
        self._read.add(name)
        return self._given.get(name) is not None

    def text(self, name: str) -> str:
        """A free text."""
        return free_text(self._value(name), name)

    def optional_text(self, name: str) -> str:
        """A free text; "" where none was given."""
        value = self._given.get(name)
        self._read.add(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return ""
        return free_text(value, name)

    def name(self, name: str) -> str:
        """A short name or id."""
        value = self._value(name)
        if not isinstance(value, str) or not value or len(value) > _MAX_NAME:
            raise UserError(f"{name} must be a name of 1 to {_MAX_NAME} characters")
        return printable(value)

    def optional_name(self, name: str) -> str | None:
        """A short name or id; None where none was given."""
        return self.name(name) if self.has(name) else None

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of `choices`."""
        value = self.name(name)
        if value not in choices:
            raise UserError(f'{name}: "{value}" is not known\n    {did_you_mean(value, choices)}')
        return value

    def number(self, name: str, least: float, most: float) -> float:
        """A number within bounds."""
        value = self._value(name)
        finite = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
        if not finite or not least <= value <= most:
            raise UserError(f"{name} must be a number from {least:g} to {most:g}")
        return float(value)

    def whole(self, name: str) -> int:
        """A whole number of 1 or more."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
            raise UserError(f"{name} must be a whole number of 1 or more")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise UserError(f"{name} must be true or false")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """A mapping of names to values; empty where none was given."""
        value = self._given.get(name)
        self._read.add(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise UserError(f"{name} must be a mapping of names to values")
        return dict(value)

    def duration(self, name: str) -> float | None:
        """A duration as text, in seconds; None where none was given."""
        if not self.has(name):
            return None
        try:
            seconds = duration_s(self._given[name])
        except Mistake as error:
            raise UserError(f"{name}: {error.what}\n    {error.remedy}") from None
        if not 0 < seconds <= _MAX_DURATION_S:
            raise UserError(f"{name} must be more than 0 s and at most 6h\n    leave it out: until it is reverted")
        return seconds

    def finish(self) -> None:
        """Refuse arguments that the action does not have."""
        strange = [str(name) for name in self._given if name not in self._read]
        if strange:
            known = ", ".join(sorted(self._read)) or "none"
            raise UserError(f'"{self._do}" has no argument "{strange[0][:40]}"\n    its arguments: {known}')

    def _value(self, name: str) -> Any:
        if not self.has(name):
            raise UserError(f'"{self._do}" needs {name}')
        return self._given[name]
