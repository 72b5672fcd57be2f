"""Panic (Envoy's panic threshold): with more than a share of the replicas shut out, use them all."""

from __future__ import annotations

from targets.gateway.config import Panic

__all__ = ["panics"]


def panics(config: Panic | None, shut_out: int, replicas: int) -> bool:
    """Whether so many are shut out that any guess is better than the few that are left."""
    return config is not None and shut_out > config.threshold * replicas
