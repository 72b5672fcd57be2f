"""Expressions of the hosting service: the part of the language that `action.yml` needs. The rest is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["EXPRESSION", "STATUS", "Known", "Wrong", "evaluate", "filled"]

EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.S)
STATUS: Final = ("success", "failure", "always", "cancelled")
_TOKEN: Final = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_][\w-]*(?:\.[\w-]+)*)(\(\))?|(==|!=|&&|\|\||!|\(|\)))")

Tokens = list[tuple[str, str]]
Value = str | bool


class Wrong(Exception):
    """The action, or an input, is wrong. The message says where and why."""


@dataclass
class Known:
    """What expressions can name. `steps`: `outcome` and `outputs` of each step with an id. `other`: `runner.temp`."""

    inputs: dict[str, str]
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)
    failed: bool = False
    cancelled: bool = False

    def value(self, name: str) -> str:
        """The value of a context, such as `inputs.stack`. Raises Wrong if it is not known."""
        match name.split("."):
            case ["inputs", one] if one in self.inputs:
                return self.inputs[one]
            case ["steps", step, "outputs", output] if step in self.steps:
                return str(self.steps[step]["outputs"].get(output, ""))
            case ["steps", step, "outcome"] if step in self.steps:
                return str(self.steps[step]["outcome"])
        if name in self.other:
            return self.other[name]
        raise Wrong(f"{name} is not defined, or not known here")

    def status(self, name: str) -> bool:
        """The value of `success()`, and so on."""
        return {
            "always": True,
            "cancelled": self.cancelled,
            "failure": self.failed and not self.cancelled,
            "success": not self.failed and not self.cancelled,
        }[name]


def filled(template: object, known: Known) -> str:
    """A value of the file as text, with its expressions replaced. Raises Wrong."""
    text = _text(template) if isinstance(template, bool) else str(template)
    return EXPRESSION.sub(lambda found: _text(evaluate(found[1], known)), text)


def evaluate(expression: str, known: Known) -> Value:
    """Value of an expression: texts, contexts, status functions, == != ! && || and brackets. Raises Wrong."""
    tokens = list(_tokens(expression))
    value = _either(tokens, known)
    if tokens:
        raise Wrong(f"{expression.strip()}: {tokens[0][1]!r} is not expected there")
    return value


def _text(value: Value) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    """Kind (text, name, call, sign) and content of each token."""
    at, end = 0, len(expression.rstrip())
    while at < end:
        found = _TOKEN.match(expression, at)
        if not found:
            raise Wrong(f"{expression.strip()}: {expression[at:].strip()!r} is not known here")
        text, name, call, sign = found.groups()
        if text is not None:
            yield "text", text.replace("''", "'")
        elif name is not None:
            yield ("call" if call else "name"), name
        else:
            yield "sign", sign
        at = found.end()


def _took(tokens: Tokens, *signs: str) -> str:
    """The sign that comes next if it is one of these, taken off; else ""."""
    return tokens.pop(0)[1] if tokens and tokens[0][0] == "sign" and tokens[0][1] in signs else ""


def _either(tokens: Tokens, known: Known) -> Value:
    value = _both(tokens, known)
    while _took(tokens, "||"):
        other = _both(tokens, known)
        value = value or other
    return value


def _both(tokens: Tokens, known: Known) -> Value:
    value = _compared(tokens, known)
    while _took(tokens, "&&"):
        other = _compared(tokens, known)
        value = value and other
    return value


def _compared(tokens: Tokens, known: Known) -> Value:
    value = _single(tokens, known)
    if sign := _took(tokens, "==", "!="):
        other = _single(tokens, known)
        if isinstance(value, bool) or isinstance(other, bool):
            raise Wrong(f"{sign} compares texts here, nothing else")
        return (value.lower() == other.lower()) is (sign == "==")  # the service ignores case
    return value


def _single(tokens: Tokens, known: Known) -> Value:
    if _took(tokens, "!"):
        return not _single(tokens, known)
    if _took(tokens, "("):
        value = _either(tokens, known)
        if not _took(tokens, ")"):
            raise Wrong("a bracket is not closed")
        return value
    kind, content = tokens.pop(0) if tokens else ("end", "")
    if kind == "text":
        return content
    if kind == "name":
        return known.value(content)
    if kind == "call" and content in STATUS:
        return known.status(content)
    raise Wrong(f"{content or 'the end of the expression'!r} is not known where a value is expected")
