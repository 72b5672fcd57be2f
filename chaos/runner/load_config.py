"""The configuration of the load generator, from an experiment (`docs/wire.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chaos.experiment.model import Experiment, UrlTarget
from loadprofiles.client.endpoint import is_loopback
from reports.shared.home import expanded

__all__ = ["load_config"]

HORIZON_SLACK_S = 120.0
"""Sessions arrive for at most this much longer than planned: reverting a fault may take longer than planned."""

STARTS_WITHIN_S = 5.0
"""More for each fault that stops a process: what follows waits until it has started again."""


def load_config(experiment: Experiment, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The configuration for a load on `url`. `headers`: those that a gateway of the run wants from its clients.

    Session ids depend on the seed only: a run with the same seed has the same conversations, and a fault's share
    affects the same requests.
    """
    target = experiment.url
    restarts = sum(fault.spec.stops_process for fault in experiment.faults)
    model = target.model if target is not None else experiment.stack.model if experiment.stack is not None else ""
    return {
        "url": url,
        "api": target.api if target is not None else None,
        "api_key_env": target.key_env if target is not None else None,
        "model": model,
        "profile": asdict(experiment.profile),
        "trace": _absolute(experiment.trace),
        "scale": experiment.scale,
        "arrivals": None if experiment.arrivals is None else asdict(experiment.arrivals),
        "seed": experiment.seed,
        "run": f"s{experiment.seed}",
        "horizon_s": experiment.load_s + HORIZON_SLACK_S + STARTS_WITHIN_S * restarts,
        "drain_s": experiment.timeline.drain_s,
        "slo": asdict(experiment.slo),
        "provable": None if experiment.stack is None else True,
        **_endpoint_options(target),
        **({"headers": dict(headers)} if headers else {}),
        "allow_remote": target is not None and not is_loopback(target.url),
    }


def _absolute(trace: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if trace is None else {**trace, "dir": str(expanded(trace["dir"]).resolve())}


def _endpoint_options(target: UrlTarget | None) -> dict[str, Any]:
    """The options of a user's own endpoint. Values from the environment stay names: this goes into a file."""
    if target is None:
        return {}
    return {
        "headers": dict(target.headers),
        "max_tokens_field": target.max_tokens_field,
        "tools": target.tools,
        "stream_options": target.stream_options,
    }
