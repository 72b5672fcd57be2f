"""Each `Literal` of the gateway's configuration has a registry that a test compares with it."""

from __future__ import annotations

from targets.gateway import config
from targets.gateway.config import Affinity, Balancing, Concurrency, Throttling
from targets.gateway.policies.balancing.registry import BALANCERS
from targets.gateway.policies.overload.concurrency import LIMITS
from targets.gateway.routing.limits import THROTTLE_SCOPES
from targets.gateway.routing.replica_state import PLACES_TAKEN
from targets.gateway.routing.selection import PLACEMENTS
from tests.support.literals import literal_fields, literal_values

REGISTRIES = {
    (Balancing, "kind"): set(BALANCERS),
    (Affinity, "placement"): set(PLACEMENTS),
    (Concurrency, "kind"): set(LIMITS),
    (Concurrency, "counts"): set(PLACES_TAKEN),
    (Throttling, "per"): set(THROTTLE_SCOPES),
}


def test_each_literal_of_the_configuration_equals_its_registry() -> None:
    assert {key: literal_values(*key) for key in REGISTRIES} == REGISTRIES


def test_no_literal_of_the_configuration_lacks_a_registry() -> None:
    classes: list[type] = [getattr(config, name) for name in config.__all__]
    found = {(each, field) for each in classes for field in literal_fields(each)}
    assert found == set(REGISTRIES)
