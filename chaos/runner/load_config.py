"""The configuration of the load generator, from an experiment (`docs/wire.md`)."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chaos.experiment.model import Experiment

__all__ = ["is_loopback", "load_config"]

HORIZON_SLACK_S = 120.0
"""Sessions arrive for at most this much longer than planned: reverting a fault may take longer than planned."""


def load_config(experiment: Experiment, url: str) -> dict[str, Any]:
    """The configuration for a load on `url`.

    Session ids depend on the seed only: a run with the same seed has the same conversations, and a fault's share
    affects the same requests.
    """
    target = experiment.url
    model = target.model if target is not None else experiment.stack.model if experiment.stack is not None else ""
    return {
        "url": url,
        "api": target.api if target is not None else None,
        "api_key_env": target.key_env if target is not None else None,
        "model": model,
        "profile": asdict(experiment.profile),
        "trace": _absolute(experiment.trace),
        "seed": experiment.seed,
        "run": f"s{experiment.seed}",
        "horizon_s": experiment.load_s + HORIZON_SLACK_S,
        "drain_s": experiment.timeline.drain_s,
        "slo": asdict(experiment.slo),
        "provable": None if target is not None else True,
        "allow_remote": target is not None and not is_loopback(target.url),
    }


def _absolute(trace: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if trace is None else {**trace, "dir": str(Path(trace["dir"]).expanduser().resolve())}


def is_loopback(url: str) -> bool:
    """Whether a URL's host is `localhost` or a loopback address. Other names are not resolved."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
