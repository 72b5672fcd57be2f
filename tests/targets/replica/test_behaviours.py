"""The registry of behaviours is complete, and so is the implementation of each choice between words."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from targets.replica import behaviours
from targets.replica.behaviours import BEHAVIOURS, base, malformed, stale_metrics
from targets.replica.behaviours.selector import RequestSelector
from targets.replica.delivery.stream import CORRUPTIONS

CAPABILITIES = [
    base.ActsOnEngine,
    base.ActsOnStream,
    base.AnswersRequest,
    base.DelaysRequest,
    base.HoldsRequest,
    base.LimitsEngine,
    base.OverridesHealth,
    base.ReplacesMetrics,
]
REQUIRED: dict[str, float] = {"ms": 50, "lost": 0.5, "factor": 2, "max_sequences": 4}
"""Valid values of parameters without a default."""


def test_the_registry_has_every_behaviour_under_the_name_of_its_module() -> None:
    found = {}
    for module in pkgutil.iter_modules(behaviours.__path__):
        loaded = importlib.import_module(f"{behaviours.__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, base.Behaviour) and value.__module__ == loaded.__name__:
                found[module.name] = value
    del found["base"]
    assert found == BEHAVIOURS


@pytest.mark.parametrize(("kind", "behaviour"), BEHAVIOURS.items())
def test_a_behaviour_has_at_least_one_capability(kind: str, behaviour: type[base.Behaviour]) -> None:
    required = [field.name for field in msgspec.structs.fields(behaviour) if field.required]
    made = msgspec.convert({name: REQUIRED[name] for name in required}, behaviour)
    assert any(isinstance(made, capability) for capability in CAPABILITIES)


def literals(struct: type[msgspec.Struct]) -> dict[str, set[str]]:
    """Returns the choices of each field that is a choice between words."""
    found = {}
    for name, hint in get_type_hints(struct).items():
        for option in (hint, *get_args(hint)):
            if get_origin(option) is Literal:
                found[name] = set(get_args(option))
    return found


def test_every_choice_of_a_parameter_is_implemented() -> None:
    """`cut`, `lying_health` and `phase` compare their choices with what they do in their own tests."""
    choices = {kind: found for kind, struct in BEHAVIOURS.items() if (found := literals(struct))}
    assert set(choices) == {"corrupt", "cut", "lying_health", "malformed", "stale_metrics"}
    assert choices["corrupt"] == {"how": set(CORRUPTIONS)}
    assert choices["malformed"] == {"how": set(malformed.ANSWERS)}
    assert choices["stale_metrics"] == {"how": set(stale_metrics.PAGES)}
    assert set(literals(RequestSelector)) == {"phase"}
