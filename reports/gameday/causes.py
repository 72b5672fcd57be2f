"""What an on-call engineer would call the cause of a fault, and the components that are right for it.

The causes are coarse on purpose: people choose one of them while calls fail. A cause has an id, which is in records,
and a label, which people read. Kinds are names: what the catalogue of faults has is not known here, and a kind without
an entry is "something else".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from reports.shared.attributes import TARGET_GATEWAY, TARGET_LOAD

__all__ = ["CAUSES", "CAUSE_OF_KIND", "OTHER", "cause_of", "component_text", "components_of"]

OTHER: Final = "other"
"""The cause of what has no better one."""

CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "replica_down": "a replica is down or keeps restarting",
        "replica_hangs": "a replica hangs: it takes calls and answers none",
        "replica_slow": "a replica is slow",
        "replica_errors": "a replica answers with errors",
        "streams_break": "streams break or stop in the middle",
        "wrong_answers": "answers are wrong or damaged",
        "health_lies": "health checks or metrics lie",
        "replica_capacity": "capacity inside replicas (KV cache, batch) is too small",
        "pool_lost": "a cloud or pool is lost",
        "network_latency": "the network is slow",
        "gateway_config": "the configuration of the gateway is stale",
        "gateway_slow": "the scheduling of the gateway is slow",
        "retries": "clients retry too much",
        "tenant": "one tenant takes everything",
        "demand": "demand outgrew supply",
        OTHER: "something else",
    }
)
"""Label by id, in the order in which people see them."""

CAUSE_OF_KIND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kill": "replica_down",
        "restart": "replica_down",
        "terminate": "replica_down",
        "flap": "replica_down",
        "freeze": "replica_hangs",
        "never_answer": "replica_hangs",
        "slow_headers": "replica_slow",
        "slow_prefill": "replica_slow",
        "slow_decode": "replica_slow",
        "slow_tokens": "replica_slow",
        "trickle": "replica_slow",
        "http_error": "replica_errors",
        "error_event": "replica_errors",
        "cut": "streams_break",
        "stall": "streams_break",
        "no_terminal": "streams_break",
        "wrong_answer": "wrong_answers",
        "corrupt": "wrong_answers",
        "duplicate": "wrong_answers",
        "malformed": "wrong_answers",
        "lying_health": "health_lies",
        "stale_metrics": "health_lies",
        "shrink_kv": "replica_capacity",
        "flush_cache": "replica_capacity",
        "shrink_batch": "replica_capacity",
        "preemption_storm": "replica_capacity",
        "latency": "network_latency",
        "stuck_config": "gateway_config",
        "slow_scheduler": "gateway_slow",
        "retry_storm": "retries",
        "heavy_tenant": "tenant",
        "surge": "demand",
        "long_reasoning": "demand",
        "exec": OTHER,
    }
)
"""The cause of each kind of fault, if not a whole pool is lost."""

_WHOLE_POOL: Final = frozenset({"replica_down", "replica_hangs"})
"""Causes that are the loss of a pool if they hit all of its replicas."""


def cause_of(
    kind: str,
    targets: Iterable[str],
    pools: Mapping[str, Sequence[str]],
    all_replicas: Sequence[str],
    params: Mapping[str, Any] | None = None,
) -> str:
    """The id of the cause of a fault.

    `pools`: the replicas of each pool. `all_replicas`: of the stack. `params`: of the fault: a surge of one tenant is
    that tenant's. The loss of every replica of a pool is the loss of the pool, if the pool has several or is not all
    that there is.
    """
    cause = CAUSE_OF_KIND.get(kind, OTHER)
    if cause == "demand" and (params or {}).get("tenant"):
        return "tenant"
    if cause in _WHOLE_POOL:
        hit = set(targets)
        for members in pools.values():
            if members and hit >= set(members) and (len(members) > 1 or len(all_replicas) > 1):
                return "pool_lost"
    return cause


def components_of(
    targets: Iterable[str],
    pools: Mapping[str, Sequence[str]],
    clouds: Mapping[str, Sequence[str]],
    params: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """The ids of the components that are right for a fault, the narrowest first.

    `pools`, `clouds`: the replicas of each. Each replica that was hit is right, and each pool that has one; a cloud
    only if all of its replicas were hit. Of the load, also the tenant that `params` name.
    """
    hit = list(dict.fromkeys(targets))
    fixed = {TARGET_GATEWAY: "gateway", TARGET_LOAD: "load"}
    found = [fixed.get(name, f"replica:{name}") for name in hit]
    tenant = (params or {}).get("tenant")
    if TARGET_LOAD in hit and isinstance(tenant, str) and tenant:
        found.insert(0, f"tenant:{tenant}")
    found += [f"pool:{pool}" for pool, members in pools.items() if set(members) & set(hit)]
    found += [f"cloud:{cloud}" for cloud, members in clouds.items() if members and set(members) <= set(hit)]
    return tuple(found)


def component_text(component: str) -> str:
    """A component as people read it: `pool tpu` for `pool:tpu`; `the gateway`, `the load`."""
    if component in ("gateway", "load"):
        return f"the {component}"
    sort, colon, name = component.partition(":")
    return f"{sort} {name}" if colon else component
