"""The part of the live numbers that a role may see: an allow-list, so that a new field of the shell tells nothing.

The name of the profile is for game masters only: it can tell what the exercise is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaos.gameday.core.roles import Role

__all__ = ["live_view"]

_ALLOWED: Final[dict[str, Any]] = {
    "age_s": None,
    "load": {"running": None, "profile": None, "level": None},
    "offered_per_s": None,
    "good_per_s": None,
    "failed_per_s": None,
    "ttft_ms": None,
    "slo_ttft_s": None,
    "sessions": {"running": None, "succeeded": None, "lost": None},
    "gateway": {"name": None, "state": None, "queued": None, "panic": None},
    "pools": [
        {
            "name": None,
            "cloud": None,
            "reserve": None,
            "state": None,
            "replicas": [
                {
                    "name": None,
                    "state": None,
                    "running": None,
                    "waiting": None,
                    "gateway": {"breaker": None, "ejected": None, "in_flight": None, "drained": None},
                }
            ],
        }
    ],
    "charts": {
        "step_s": None,
        "end_s": None,
        "offered": None,
        "good": None,
        "failed": None,
        "ttft_ms": None,
        "queue": None,
        "running": None,
    },
}
"""What is shown: a mapping of keys, a list of equal entries, or None for a plain value."""


def live_view(live: Mapping[str, Any], role: Role, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The live numbers for a role. `operations`: what responders changed and is still in force."""
    shown = _allowed(live, _ALLOWED)
    if role is not Role.GAMEMASTER and isinstance(shown.get("load"), dict) and "profile" in shown["load"]:
        shown["load"]["profile"] = ""
    return {**shown, "operations": [dict(one) for one in operations]}


def _allowed(value: Any, shape: Any) -> Any:
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            return None
        return {key: _allowed(value[key], below) for key, below in shape.items() if key in value}
    if isinstance(shape, list):
        if not isinstance(value, Sequence) or isinstance(value, str):
            return []
        return [_allowed(entry, shape[0]) for entry in value]
    if isinstance(value, Mapping):
        return None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [one for one in value if one is None or isinstance(one, int | float)]
    return value
