"""What people can choose in an exercise, from a stack and a profile: nothing of it depends on the scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaos.experiment.draft import views
from chaos.faults.world import ReplicaView, offers_of
from chaos.gameday.core.catalogue import fault_catalogue
from chaos.gameday.core.offer import Offer
from chaos.gameday.core.operations import Operation, operations_for
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.profile_file import profile_names
from reports.shared.tenancy import TIERS
from targets.gateway.operations.switches import SWITCHES
from targets.stack import Pool, Replica, Stack

__all__ = ["offer_for", "operations_of"]


def _pools(stack: Stack) -> tuple[Pool, ...]:
    """Those that run, and those in reserve."""
    return (*stack.pools, *stack.reserve)


def _replicas(stack: Stack) -> list[Replica]:
    """Those that run, and those in reserve."""
    return [*stack.replicas, *stack.reserve_replicas]


def operations_of(stack: Stack | None, *, own_gateway: bool) -> tuple[Operation, ...]:
    """What responders can do to this target. `stack` None: it has no replicas of brownout."""
    if stack is None:
        return operations_for(own_gateway=own_gateway)
    admission = stack.gateway.admission
    return operations_for(
        replicas=[replica.name for replica in _replicas(stack)],
        pools=[pool.name for pool in _pools(stack)],
        tiers=list(admission.tiers) if admission is not None else TIERS,
        policies=list(SWITCHES),
        reserve=[pool.name for pool in stack.reserve],
        own_gateway=own_gateway,
    )


def offer_for(stack: Stack | None, profile: Profile, *, own_gateway: bool) -> Offer:
    """The offer of an exercise on this target with this load."""
    replicas = [] if stack is None else [ReplicaView(one.name, one.pool, one.cloud) for one in _replicas(stack)]
    tenants = {tenant.name: tenant.tier for tenant in profile.tenants}
    places = offers_of(own_replicas=stack is not None, own_gateway=own_gateway)
    return Offer(
        components=tuple(_components(stack, tenants)),
        operations=operations_of(stack, own_gateway=own_gateway),
        replicas={replica.name: replica for replica in replicas},
        tenants=tenants,
        profiles=tuple(profile_names()),
        catalogue=fault_catalogue(places, [] if stack is None else views(stack), list(tenants)),
    )


def _components(stack: Stack | None, tenants: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield "gateway", "the gateway"
    yield "load", "the load (clients)"
    if stack is not None:
        for replica in _replicas(stack):
            yield f"replica:{replica.name}", f"replica {replica.name}"
        for pool in _pools(stack):
            yield f"pool:{pool.name}", f"pool {pool.name}"
        for cloud in dict.fromkeys(pool.cloud for pool in _pools(stack)):
            yield f"cloud:{cloud}", f"cloud {cloud}"
    for tenant in tenants:
        yield f"tenant:{tenant}", f"tenant {tenant}"
