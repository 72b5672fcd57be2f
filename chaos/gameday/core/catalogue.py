"""The faults that the game master can inject by hand: their keys, what is required, and what each may be.

Made from the models of the kinds (`chaos.faults.catalogue`), with the pools, replicas, clouds and tenants of the
target as choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from chaos.faults.catalogue import KINDS
from chaos.faults.world import ReplicaView, Where

__all__ = ["fault_catalogue"]

_LISTED: Final = ("pool", "replica", "replicas", "cloud", "tenant")


def fault_catalogue(
    offers: frozenset[Where], replicas: Iterable[ReplicaView], tenants: Sequence[str]
) -> tuple[dict[str, Any], ...]:
    """The kinds that are possible on this target, in the order of the catalogue; no commands of the user's."""
    views = list(replicas)
    names = [view.name for view in views]
    choices: dict[str, Sequence[str]] = {
        "pool": list(dict.fromkeys(view.pool for view in views)),
        "replica": names,
        "replicas": names,
        "cloud": list(dict.fromkeys(view.cloud for view in views)),
        "tenant": tenants,
    }
    return tuple(
        {
            "kind": kind,
            "where": spec.where,
            "title": spec.description(),
            "keys": [
                _key(field.alias or name, field, choices)
                for name, field in spec.model_fields.items()
                if field.alias != "for"  # it is the duration of a fault that is injected by hand
            ],
        }
        for kind, spec in KINDS.items()
        if spec.where in offers and spec.where != "system"
    )


def _key(name: str, field: FieldInfo, choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    default = None if field.default is PydanticUndefined else field.default
    of_type = _literals(field.annotation)
    offered = choices[name] if name in _LISTED else of_type
    return {
        "name": name,
        "required": field.is_required(),
        "choices": list(offered) if offered else None,
        "default": default if isinstance(default, str | int | float | bool | None) else None,
        "help": field.description or "",
    }


def _literals(annotation: Any) -> list[str]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return [str(part) for part in parts]
    if origin is Annotated:
        return _literals(parts[0])
    if origin in (Union, UnionType):
        return [text for part in parts if part is not NoneType for text in _literals(part)]
    return ["true", "false"] if annotation is bool else []
