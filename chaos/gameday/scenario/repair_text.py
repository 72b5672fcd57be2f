"""How a scenario file writes the operations that repair a fault: `restart: tpu-1`, `drain: tpu`, `restart_gateway`.

A word that says what is named may stand before it: `restart: replica tpu-1`. A list of replicas is a restart of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from chaos.gameday.core.operations import OPERATIONS
from chaos.gameday.core.plan import Repair
from reports.shared.documents import Mistake, did_you_mean

__all__ = ["REPAIR_FORM", "read_repair", "repairs_text"]

REPAIR_FORM: Final = "write an operation, as restart: tpu-1, drain: tpu, shed: batch, switch: 'retries: off'"


def read_repair(given: Any) -> list[Repair]:
    """One entry of `repair:`. Raises `Mistake`. Whether the target offers it is checked elsewhere."""
    if isinstance(given, str):
        given = {given: None}
    if not isinstance(given, dict) or len(given) != 1:
        raise Mistake("must be one operation", REPAIR_FORM)
    name, value = next(iter(given.items()))
    if name not in OPERATIONS:
        raise Mistake(f'there is no operation "{name}"', did_you_mean(name, OPERATIONS))
    argument = OPERATIONS[name].argument
    if not argument:
        if value not in (None, True, {}):
            raise Mistake(f"{name} takes no value", f"write - {name}")
        return [Repair(operation=name)]
    if isinstance(value, dict) and name == "switch" and len(value) == 1:
        policy, setting = next(iter(value.items()))
        value = f"{policy}: {_setting(setting)}"
    many = value if isinstance(value, list) and name == "restart" else [value]
    return [Repair(operation=name, arguments={argument: text}) for text in _named(many, name, argument)]


def _named(values: list[Any], name: str, argument: str) -> Iterator[str]:
    if not values:
        raise Mistake(f"{name} names no {argument}", f"write {name}: NAME")
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise Mistake(f"{name} must name a {argument}", f"write {name}: NAME")
        yield value.strip().removeprefix(f"{argument} ").strip()


def _setting(setting: Any) -> str:
    """The value of a policy as text: `on` and `off` are text in these files, and true and false mean the same."""
    return {True: "on", False: "off"}.get(setting, str(setting)) if isinstance(setting, bool) else str(setting)


def repairs_text(repairs: Sequence[Repair] | None) -> str:
    """The repairs of a fault for people who read them. None: those of its kind."""
    if repairs is None:
        return "what repairs a fault of its kind"
    if not repairs:
        return "nothing that responders can do"
    together = [repair.arguments["replica"] for repair in repairs if repair.operation == "restart"]
    ways = [f"restart {' and '.join(together)}"] if together else []
    ways += [
        " ".join((repair.operation.replace("_", " "), *repair.arguments.values()))
        for repair in repairs
        if repair.operation != "restart"
    ]
    return ", or ".join(ways)
