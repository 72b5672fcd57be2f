"""All adapters by name, and the choice that users write: `NAME` or `NAME:PRESET`."""

from __future__ import annotations

from typing import Final

from reports.shared.errors import UserError, did_you_mean
from targets.adapters.base import Adapter
from targets.adapters.envoy import Envoy
from targets.adapters.haproxy import HAProxy
from targets.adapters.litellm import LiteLLM
from targets.adapters.nginx import Nginx

__all__ = ["ADAPTERS", "DEFAULT_PRESET", "find_adapter", "find_preset", "parse_choice"]

ADAPTERS: Final[dict[str, Adapter]] = {
    "nginx": Nginx(),
    "haproxy": HAProxy(),
    "litellm": LiteLLM(),
    "envoy": Envoy(),
}

DEFAULT_PRESET: Final = "default"
"""The preset of a choice that names none."""


def find_adapter(name: str) -> Adapter:
    """The adapter of this name. Raises UserError."""
    if name not in ADAPTERS:
        raise UserError(f'there is no gateway "{name}"\n    {did_you_mean(name, ADAPTERS)}')
    return ADAPTERS[name]


def find_preset(adapter: Adapter, preset: str) -> str:
    """Returns `preset` if the adapter has it. Raises UserError."""
    if preset not in adapter.presets:
        remedy = did_you_mean(preset, adapter.presets)
        raise UserError(f'{adapter.name} has no preset "{preset}"\n    {remedy}')
    return preset


def parse_choice(text: str) -> tuple[Adapter, str]:
    """The adapter and the preset of `litellm:tuned`; `litellm` has the preset `default`. Raises UserError."""
    name, colon, preset = text.partition(":")
    adapter = find_adapter(name)
    return adapter, find_preset(adapter, preset if colon else DEFAULT_PRESET)
