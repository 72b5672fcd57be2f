"""What a target offers, and the one rule by which it refuses a fault."""

from __future__ import annotations

import pytest

from chaos.faults.world import EVERYWHERE, NEEDS, Where, offers_of, refusal


@pytest.mark.parametrize(
    ("own_replicas", "own_gateway", "offers"),
    [
        (True, True, {"process", "replica", "gateway", "load", "system"}),
        (True, False, {"process", "replica", "load", "system"}),  # a gateway that is not ours in front of our replicas
        (False, False, {"load", "system"}),  # the user's endpoint
    ],
)
def test_a_target_offers_what_it_has(own_replicas: bool, own_gateway: bool, offers: set[str]) -> None:
    assert offers_of(own_replicas=own_replicas, own_gateway=own_gateway) == offers


@pytest.mark.parametrize("where", NEEDS)
def test_a_refusal_names_what_the_target_does_not_have(where: Where) -> None:
    assert refusal(where, EVERYWHERE) is None
    assert refusal(where, EVERYWHERE - {where}) == f"needs {NEEDS[where]}, and this target has none"


def test_the_embedded_stack_offers_every_place() -> None:
    assert offers_of(own_replicas=True, own_gateway=True) == EVERYWHERE
