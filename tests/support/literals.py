"""The values that a configuration's `Literal` fields allow."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

__all__ = ["literal_fields", "literal_values"]


def literal_values(config: type, field: str) -> set[Any]:
    """The values that the `Literal` field of a configuration dataclass allows."""
    hint = get_type_hints(config)[field]
    assert get_origin(hint) is Literal, f"{config.__name__}.{field} is not a Literal"
    return set(get_args(hint))


def literal_fields(config: type) -> set[str]:
    """The names of the `Literal` fields of a configuration dataclass, optional ones included."""
    hints = get_type_hints(config)
    return {
        field.name
        for field in dataclasses.fields(config)
        if any(get_origin(part) is Literal for part in (hints[field.name], *get_args(hints[field.name])))
    }
