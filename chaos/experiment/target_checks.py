"""What `run` will need on this machine for a target that is not ours: a permission, keys, an installed gateway.

An experiment file can be valid here and elsewhere. These checks depend on the machine, so `brownout check` prints what
they find and goes on, and `brownout run` stops before anything starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chaos.experiment.model import Experiment, GatewayChoice, UrlTarget
from loadprofiles.client.api_paths import API_PATHS
from loadprofiles.client.endpoint import environment_problem, is_loopback, parse_endpoint
from targets.adapters.base import Installation
from targets.adapters.cache import installed
from targets.adapters.catalogue import ADAPTERS

__all__ = [
    "PERMISSION_OPTION",
    "called_url",
    "environment_problems",
    "installation_of",
    "installation_problem",
    "needs_permission",
]

PERMISSION_OPTION: Final = "--yes-i-may"
"""The option of `run` that says that the user may send load to a target that is not this machine."""


def called_url(experiment: Experiment, target: UrlTarget) -> str:
    """The address that every call of the load goes to."""
    api = target.api or experiment.profile.client.api
    return parse_endpoint(target.url, allow_remote=True).url(API_PATHS[api])


def needs_permission(target: UrlTarget) -> bool:
    """Whether `run` wants `PERMISSION_OPTION`: the target is not this machine."""
    return not is_loopback(target.url)


def environment_problems(target: UrlTarget, environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the environment variables that the target names. No message repeats a value."""
    named = [("key_env", target.key_env)] if target.key_env is not None else []
    named += [
        (f"headers: {name}", value["env"]) for name, value in target.headers.items() if not isinstance(value, str)
    ]
    found = [(key, environment_problem(name, environment.get(name))) for key, name in named if name is not None]
    return [f"{key}: {problem}" for key, problem in found if problem]


def installation_of(choice: GatewayChoice) -> Installation | None:
    """The installation of a real gateway on this machine; None without one."""
    return installed(ADAPTERS[choice.name])


def installation_problem(choice: GatewayChoice) -> str:
    """Why the gateway cannot be started here, with the command that helps; "" where it can."""
    if installation_of(choice) is not None:
        return ""
    return f"{choice.name} is not installed: brownout targets install {choice.name}"
