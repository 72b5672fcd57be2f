"""The switches: what each changes, and that the settings are those of the reference stack."""

from __future__ import annotations

from dataclasses import fields

import pytest

from targets.gateway.config import GatewayPolicies
from targets.gateway.operations.switches import REFERENCE, SWITCHES, switched
from targets.stack import load_stack

SWITCHED_ON = ("retries", "ejection", "timeouts", "migration", "throttling")


@pytest.mark.parametrize("policy", SWITCHED_ON)
def test_what_is_switched_on_has_the_reference_stacks_settings(policy: str) -> None:
    assert getattr(REFERENCE, policy) == getattr(load_stack("multi-cloud").gateway, policy)


@pytest.mark.parametrize("stack", ["multi-cloud", "naive", "game-day"])
@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_changes_its_own_policy_alone(name: str, stack: str) -> None:
    before = load_stack(stack).gateway
    after = switched(before, [name])
    changed = {one.name for one in fields(GatewayPolicies) if getattr(before, one.name) != getattr(after, one.name)}
    assert changed <= {SWITCHES[name].policy}
    assert name.partition(": ")[0] == SWITCHES[name].policy


def test_people_have_something_to_repair_on_the_game_day_stack() -> None:
    policies = load_stack("game-day").gateway
    useful = [name for name in SWITCHES if switched(policies, [name]) != policies]
    assert {"ejection: on", "retries: budget", "throttling: on", "migration: on", "timeouts: on"} <= set(useful)
