"""Converts pydantic's errors to `Problem`s: the line in the file, what is wrong there, what would be right.

Imports pydantic. `reports.shared.documents.validate` imports it, only when a file has mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError

from reports.shared.errors import Problem, did_you_mean
from reports.shared.units import Mistake, duration_s, duration_text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from reports.shared.document import Document, Where

__all__ = ["validation_problems"]

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a mapping of keys to values",
    "mapping": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "model_attributes": "a mapping of keys to values",
    "dataclass": "a mapping of keys to values",
}
_KIND_ERRORS: Final = re.compile(r"(?P<kind>[a-z_]+?)_(?:type|parsing|from_float|exact_type|parsing_size)")
_BOUNDS: Final = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def validation_problems(document: Document, adapter: TypeAdapter[Any], error: ValidationError) -> list[Problem]:
    """All errors of a validation as `Problem`s, each once; equal ones of several branches of a union are joined."""
    try:
        schema: dict[str, Any] = adapter.json_schema(by_alias=True)
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        schema = {}
    errors = error.errors(include_url=False)
    keys = _Keys(schema)
    found: dict[tuple[Where, str], Problem] = {}
    suggested: set[tuple[Where, str]] = set()
    for detail in errors:
        if _is_unknown_key(detail):
            path = _path(document, detail["loc"])
            what, remedy, suggestion = _unknown_key(document, path, keys)
            suggested.add((path[:-1], suggestion))
            found[path, "unknown"] = document.problem(path, what, remedy)
    for detail in errors:
        if _is_unknown_key(detail):
            continue
        path = _path(document, detail["loc"])
        if detail["type"] in ("missing", "missing_argument"):
            key = str(detail["loc"][-1])
            if (path, key) not in suggested:  # the misspelt key is already reported
                found[path, f"missing {key}"] = document.problem(
                    path, f'"{key}" is missing{_at(path)}', keys.hint(path, key)
                )
            continue
        what, remedy = _message(detail, path, _written(document, path))
        found.setdefault((path, what), document.problem(path, what, remedy))
    return list(found.values())


def _is_unknown_key(detail: ErrorDetails) -> bool:
    return detail["type"] in ("extra_forbidden", "unexpected_keyword_argument")


def _path(document: Document, loc: tuple[int | str, ...]) -> Where:
    """pydantic's location as a path in the document, without names of union branches and of missing keys."""
    path: Where = ()
    value: Any = document.data
    for part in loc:
        if isinstance(value, Mapping):
            if part not in value:
                continue
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        path = (*path, part)
    return path


def _unknown_key(document: Document, path: Where, keys: _Keys) -> tuple[str, str, str]:
    key = str(path[-1]) if path else ""
    remedy = did_you_mean(key, keys.at(path[:-1], _written(document, path[:-1])), of="the keys here are")
    suggestion = found[1] if (found := re.fullmatch(r'did you mean "(.*)"\?', remedy)) else ""
    return f'unknown key "{key}"{_at(path[:-1])}', remedy, suggestion


def _written(document: Document, path: Where) -> Any:
    value: Any = document.data
    for part in path:
        value = value[part]
    return value


def _message(detail: ErrorDetails, path: Where, written: Any) -> tuple[str, str]:
    context = detail.get("ctx", {})
    cause = context.get("error")
    name = _name(path)
    if isinstance(cause, Mistake):
        return (f"{name}: {cause.what}" if path else cause.what), cause.remedy
    shown = _shown(written)  # not `input`: that may be converted already, 2m to 120.0
    kind = detail["type"]
    if kind == "union_tag_invalid":
        key = str(context["discriminator"]).strip("'")
        tag = str(context["tag"])
        return f'{name}: {key} "{tag}" is not known here', did_you_mean(tag, _quoted(context["expected_tags"]))
    if kind == "union_tag_not_found":
        return f"{name} must have the key {context['discriminator']}", ""
    if kind in ("literal_error", "enum"):
        if expected := _quoted(context["expected"]):
            return f"{name}: {shown} is not known here", did_you_mean(str(detail["input"]), expected)
        return f"{name} must be {context.get('expected', 'another value')}, not {shown}", ""
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{name} must be {words} {_bound(context[key], written)}, not {shown}", ""
    if kind in ("too_short", "string_too_short"):
        return f"{name} must have at least {context.get('min_length')} entries or characters", ""
    if kind in ("too_long", "string_too_long"):
        return f"{name} must have at most {context.get('max_length')} entries or characters", ""
    if kind == "finite_number":
        return f"{name} must be a finite number, not {shown}", ""
    if kind == "string_pattern_mismatch":
        return f"{name}: {shown} does not have the right form", f"it must match {context.get('pattern')}"
    if (found := _KIND_ERRORS.fullmatch(kind)) and found["kind"] in _KINDS:
        if found["kind"] == "float" and path and str(path[-1]).endswith("_s"):
            return f"{name} must be a duration, not {shown}", "write a number with a unit: 300ms, 15s, 2m"
        return f"{name} must be {_KINDS[found['kind']]}, not {shown}", _of_kind(found["kind"], written)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return (f"{name}: {message}" if path else message), ""


def _bound(limit: float, written: object) -> str:
    """A limit, in the unit of what was written."""
    text = written.strip() if isinstance(written, str) else ""
    if text.endswith("%"):
        return f"{limit * 100:g}%"
    try:
        duration_s(text)
    except ValueError:
        return f"{limit:g}"
    return duration_text(limit)


def _of_kind(kind: str, written: object) -> str:
    """How to write a value of this kind, given what was written."""
    if kind == "string":
        return "put it in quotes" if isinstance(written, (int, float)) else ""
    if kind == "bool":
        return "write true or false, without quotes"
    if kind not in ("int", "float"):
        return ""
    if isinstance(written, str) and re.fullmatch(r"[-+]?\d+(\.\d+)?", written):
        return f"write it without quotes: {written}"
    if kind == "int" and isinstance(written, float) and written.is_integer():
        return f"write {written:.0f}"
    return "write a number; true and false are none" if isinstance(written, bool) else ""


def _quoted(text: object) -> list[str]:
    return re.findall(r"'([^']*)'", str(text))


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _name(path: Where) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return f'"{text}"' if text else "the file"


def _at(path: Where) -> str:
    return f" in {_name(path)}" if path else ""


class _Keys:
    """The keys that a schema allows at a path, from its JSON Schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._root = schema

    def at(self, path: Where, value: Mapping[str, Any]) -> list[str]:
        """The keys allowed at `path`; of a union, those of the branches that match the tag of `value`."""
        nodes = [node.get("properties", {}) for node in self._nodes(path)]
        fitting = [
            properties
            for properties in nodes
            if all(
                "const" not in rule or value.get(key, rule["const"]) == rule["const"]
                for key, rule in properties.items()
            )
        ]
        return sorted({key for properties in fitting or nodes for key in properties})

    def hint(self, path: Where, key: str) -> str:
        """A remedy for a missing key, with its description or its choices."""
        for node in self._nodes((*path, key)):
            if node.get("description"):
                return f"add it: {node['description']}"
            if node.get("enum"):
                return f"add it, one of: {', '.join(map(str, node['enum']))}"
        return f'add "{key}: ..."'

    def _nodes(self, path: Where) -> list[dict[str, Any]]:
        nodes = list(self._open(self._root))
        for part in path:
            below: list[dict[str, Any]] = []
            for node in nodes:
                child: Any
                if isinstance(part, int):
                    child = node.get("items")
                else:
                    others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
                    child = node.get("properties", {}).get(part, others[0])
                if isinstance(child, dict):
                    below.extend(self._open(child))
            nodes = below
        return nodes

    def _open(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The node itself and the nodes that its references and unions lead to."""
        yield node
        if isinstance(reference := node.get("$ref"), str):
            target: Any = self._root
            for part in reference.removeprefix("#/").split("/"):
                target = target.get(part, {})
            yield from self._open(target)
        for branches in ("anyOf", "oneOf", "allOf"):
            for branch in node.get(branches, ()):
                yield from self._open(branch)
