"""The registry of retry policies."""

from __future__ import annotations

import pkgutil

from loadprofiles import retries
from loadprofiles.retries import POLICIES


def test_the_registry_contains_the_documented_policies() -> None:
    assert sorted(POLICIES) == [
        "agent-loop",
        "aggressive",
        "anthropic-sdk",
        "claude-code",
        "none",
        "openai-sdk",
    ]


def test_every_policy_has_a_file_of_its_own_and_is_registered() -> None:
    shared = {"policy", "backoff"}
    files = {module.name for module in pkgutil.iter_modules(retries.__path__)} - shared
    assert {name.replace("-", "_") for name in POLICIES} == files
    for name, policy in POLICIES.items():
        assert type(policy).__module__ == f"loadprofiles.retries.{name.replace('-', '_')}"
