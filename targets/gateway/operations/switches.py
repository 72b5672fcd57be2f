"""Named changes of the policies that can be applied to a running gateway. Pure.

Each belongs to one policy, and of one policy at most one switch is in force. The settings of a policy that is switched
on are those of the reference stack (`multi-cloud`): the gateway reads no stack file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from targets.gateway.config import Ejection, GatewayPolicies, Migration, Retries, RetryBudget, Throttling, Timeouts

__all__ = ["REFERENCE", "SWITCHES", "Switch", "switched"]

REFERENCE: Final = GatewayPolicies(
    retries=Retries(max_resends=5),
    ejection=Ejection(
        consecutive_failures=3,
        sweep_s=1.0,
        base_s=3.0,
        max_s=12.0,
        max_share=0.67,
        slow_factor=4.0,
        slow_min_samples=5,
        slow_sweeps=2,
    ),
    timeouts=Timeouts(connect_s=0.5, first_token_s=1.0, prefill_factor=3.0, between_tokens_s=1.2, total_s=120.0),
    migration=Migration(),
    throttling=Throttling(k=2.0, window_s=30.0, per="replica"),
)
"""The reference stack's settings of the policies that can be switched on."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One change. `policy`: which one it changes. `text`: what it does, as a phrase for a person."""

    policy: str
    text: str
    change: Callable[[GatewayPolicies], GatewayPolicies]


def _budgeted(policies: GatewayPolicies) -> GatewayPolicies:
    retries = policies.retries
    changed = REFERENCE.retries if retries is None else replace(retries, budget=RetryBudget())
    return replace(policies, retries=changed)


def _timeouts(policies: GatewayPolicies) -> GatewayPolicies:
    kept = policies.timeouts.connect_s  # belongs to the connections that are open
    return replace(policies, timeouts=replace(REFERENCE.timeouts, connect_s=kept))


SWITCHES: Final[Mapping[str, Switch]] = {
    "retries: off": Switch("retries", "failed calls are not retried", lambda old: replace(old, retries=None)),
    "retries: budget": Switch("retries", "retries are at most 20% of the calls", _budgeted),
    "balancing: least_outstanding": Switch(
        "balancing",
        "the replica with the fewest calls gets the next one",
        lambda old: replace(old, balancing=replace(old.balancing, kind="least_outstanding")),
    ),
    "balancing: p2c": Switch(
        "balancing",
        "the faster of two random replicas gets the next call",
        lambda old: replace(old, balancing=replace(old.balancing, kind="p2c")),
    ),
    "balancing: round_robin": Switch(
        "balancing",
        "replicas get calls in turn",
        lambda old: replace(old, balancing=replace(old.balancing, kind="round_robin")),
    ),
    "ejection: on": Switch(
        "ejection",
        "replicas that fail or are slow are shut out",
        lambda old: replace(old, ejection=REFERENCE.ejection),
    ),
    "ejection: off": Switch(
        "ejection", "no replica is shut out as an outlier", lambda old: replace(old, ejection=None)
    ),
    "migration: on": Switch(
        "migration",
        "streams that break are continued by another replica",
        lambda old: replace(old, migration=REFERENCE.migration),
    ),
    "migration: off": Switch("migration", "streams that break end", lambda old: replace(old, migration=None)),
    "throttling: on": Switch(
        "throttling",
        "replicas that reject calls get fewer",
        lambda old: replace(old, throttling=REFERENCE.throttling),
    ),
    "throttling: off": Switch(
        "throttling", "replicas that reject calls get as many as others", lambda old: replace(old, throttling=None)
    ),
    "timeouts: on": Switch("timeouts", "calls to a replica that sends nothing are given up", _timeouts),
}
"""By name, which is the policy and its value."""


def switched(policies: GatewayPolicies, names: Iterable[str]) -> GatewayPolicies:
    """Returns the policies after these switches. Raises KeyError for an unknown one."""
    for name in names:
        policies = SWITCHES[name].change(policies)
    return policies
