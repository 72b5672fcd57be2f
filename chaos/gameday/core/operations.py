"""What responders can do to the target: a bounded set, which depends on the target and never on the scenario.

restart {replica}    a replica's process is started again, with an empty cache
restart_gateway      the gateway's process is started again
drain {pool}         the pool gets no new calls
shed {tier}          new calls of the tier are refused
switch {policy}      a policy of the gateway is changed, as `retries: off`
add_pool {pool}      a reserve pool is started, with a cold start, and takes part
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.shared.documents import did_you_mean
from reports.shared.errors import UserError

__all__ = [
    "LASTING",
    "OPERATIONS",
    "Argument",
    "Operation",
    "OperationKind",
    "done_text",
    "failed_text",
    "operations_for",
    "ordered_text",
]


@dataclass(frozen=True, slots=True)
class OperationKind:
    """One kind of operation. `argument`: the name of the only one that it takes; "" for none. `of`: its label.

    `lasts`: whether it is in force until it is undone. `doing`, `done`, `failed`: texts with `{}` for the argument.
    """

    label: str
    argument: str
    of: str
    lasts: bool
    doing: str
    done: str
    failed: str


OPERATIONS: Final[dict[str, OperationKind]] = {
    "restart": OperationKind(
        "Restart a replica", "replica", "Replica", False, "restarts {}", "{} was restarted", "{} could not be restarted"
    ),
    "restart_gateway": OperationKind(
        *("Restart the gateway", "", "", False),
        *("restarts the gateway", "the gateway was restarted", "the gateway could not be restarted"),
    ),
    "drain": OperationKind(
        *("Drain a pool", "pool", "Pool", True),
        *("drains the pool {}", "pool {} is drained", "pool {} could not be drained"),
    ),
    "shed": OperationKind(
        *("Shed a tier", "tier", "Tier", True),
        *("sheds the tier {}", "tier {} is shed", "tier {} could not be shed"),
    ),
    "switch": OperationKind(
        *("Switch a policy", "policy", "Policy", True),
        *("switches {}", "switched: {}", "could not be switched: {}"),
    ),
    "add_pool": OperationKind(
        *("Add a pool of the reserve", "pool", "Pool", True),
        *("adds the pool {}", "pool {} is added", "pool {} could not be added"),
    ),
}
"""Every kind of operation, in the order in which they are offered."""

LASTING: Final = frozenset(name for name, kind in OPERATIONS.items() if kind.lasts)
"""Operations that are in force until they are undone."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an operation, and what it may be."""

    name: str
    label: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as it is offered. `why_not`: why the target does not have it; "" where it is possible."""

    id: str
    label: str
    arguments: tuple[Argument, ...] = ()
    why_not: str = ""

    @property
    def possible(self) -> bool:
        """Whether the target has it."""
        return not self.why_not

    def check(self, given: Mapping[str, Any]) -> dict[str, str]:
        """The arguments, checked. Raises UserError."""
        if self.why_not:
            raise UserError(f"{self.label.lower()}: {self.why_not}")
        checked: dict[str, str] = {}
        for argument in self.arguments:
            value = given.get(argument.name)
            if not isinstance(value, str) or not value:
                raise UserError(f"{self.label.lower()}: {argument.name} is missing\n    choose one")
            if value not in argument.choices:
                shown = value[:60]
                remedy = did_you_mean(shown, argument.choices)
                raise UserError(f'{self.label.lower()}: there is no {argument.name} "{shown}"\n    {remedy}')
            checked[argument.name] = value
        strange = sorted(str(name) for name in given if name not in checked)
        if strange:
            raise UserError(f'{self.label.lower()} has no argument "{strange[0][:40]}"')
        return checked

    def document(self) -> dict[str, Any]:
        """As in the document of a responder."""
        arguments = [{"name": one.name, "label": one.label, "choices": list(one.choices)} for one in self.arguments]
        possible = {"possible": self.possible, "why_not": self.why_not}
        return {"id": self.id, "label": self.label, "arguments": arguments, **possible}


def operations_for(
    *,
    replicas: Sequence[str] = (),
    pools: Sequence[str] = (),
    tiers: Sequence[str] = (),
    policies: Sequence[str] = (),
    reserve: Sequence[str] = (),
    own_gateway: bool = True,
) -> tuple[Operation, ...]:
    """Every operation, with what this target offers. `reserve`: the pools that can be added."""
    foreign = "" if own_gateway else "the gateway is not the one of brownout: use its own console"
    choices = {"replica": replicas, "tier": tiers, "policy": policies}
    nothing = {
        "restart": "there are no replicas of brownout",
        "drain": "there is no pool",
        "shed": "the gateway has no tiers",
        "switch": "the gateway has no policy that can be switched",
        "add_pool": "the stack has no pool in reserve",
    }
    found = []
    for name, kind in OPERATIONS.items():
        offered = tuple(reserve if name == "add_pool" else pools if name == "drain" else choices.get(kind.argument, ()))
        why_not = foreign if name != "restart" else ""
        if not why_not and kind.argument and not offered:
            why_not = nothing[name]
        arguments = (Argument(kind.argument, kind.of, offered),) if kind.argument else ()
        found.append(Operation(name, kind.label, arguments, why_not))
    return tuple(found)


def ordered_text(operation: str, arguments: Mapping[str, str]) -> str:
    """What somebody does now: `restarts tpu-1`."""
    return _text(OPERATIONS[operation].doing, arguments)


def done_text(operation: str, arguments: Mapping[str, str]) -> str:
    """What was done, or is in force: `pool tpu is drained`."""
    return _text(OPERATIONS[operation].done, arguments)


def failed_text(operation: str, arguments: Mapping[str, str]) -> str:
    """What did not work."""
    return _text(OPERATIONS[operation].failed, arguments)


def _text(template: str, arguments: Mapping[str, str]) -> str:
    return template.replace("{}", ", ".join(arguments.values()))
