"""Panic (Envoy's panic threshold): when too large a share of the replicas is shut out, all are used again."""

from __future__ import annotations

from targets.gateway.config import Panic

__all__ = ["is_panic"]


def is_panic(config: Panic | None, shut_out: int, replicas: int) -> bool:
    """Whether more than the threshold of the replicas is shut out."""
    return config is not None and shut_out > config.threshold * replicas
