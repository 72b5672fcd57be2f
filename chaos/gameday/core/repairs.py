"""Which operations of responders end which fault. Pure.

A scenario names the repairs of a fault (`repair:`). Where it does not, those of its kind count:

    of a replica's process, or inside a replica    each of its targets is restarted
    inside the gateway                             the gateway is restarted
    one tenant's demand (heavy_tenant, surge)      its tier is shed
    retry_storm                                    any tier is shed, or the gateway's retries are limited: less work
                                                   than the stack can do is what ends it
    surge of everybody, long_reasoning             nothing: the demand is real, and lasts until it ends by itself

Restarts that repair one fault count together: all of them are needed. Each other operation is enough by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from chaos.faults.catalogue import KINDS
from chaos.gameday.core.offer import Offer
from chaos.gameday.core.plan import Repair

__all__ = ["RESTART", "default_repairs", "is_repaired"]

RESTART: Final = "restart"
_LESS_RETRIES: Final = ("retries: off", "retries: budget")


def default_repairs(kind: str, targets: Sequence[str], params: Mapping[str, Any], offer: Offer) -> tuple[Repair, ...]:
    """What repairs a fault of this kind. `params`: its own, as `tenant`."""
    spec = KINDS.get(kind)
    if spec is None:
        return ()
    if spec.where in ("process", "replica"):
        return tuple(Repair(operation=RESTART, arguments={"replica": name}) for name in targets)
    if spec.where == "gateway":
        return (Repair(operation="restart_gateway"),)
    if kind in ("heavy_tenant", "surge"):
        tier = offer.tenants.get(str(params.get("tenant")), "")
        return (_shed(tier),) if tier in offer.choices("shed") else ()
    if kind == "retry_storm":
        switches = [policy for policy in _LESS_RETRIES if policy in offer.choices("switch")]
        limits = tuple(Repair(operation="switch", arguments={"policy": policy}) for policy in switches)
        return tuple(_shed(tier) for tier in offer.choices("shed")) + limits
    return ()


def _shed(tier: str) -> Repair:
    return Repair(operation="shed", arguments={"tier": tier})


def is_repaired(repairs: Collection[Repair], restarted: Collection[str], done: Repair) -> bool:
    """Whether a fault is repaired by `done`. `restarted`: the replicas restarted since it began, this one included."""
    if not any(one.operation == done.operation and dict(one.arguments) == dict(done.arguments) for one in repairs):
        return False
    if done.operation != RESTART:
        return True
    return all(one.arguments["replica"] in restarted for one in repairs if one.operation == RESTART)
