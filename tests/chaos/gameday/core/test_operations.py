"""What responders can do depends on the target: what it lacks is shown with the reason."""

from __future__ import annotations

from chaos.gameday.core.operations import OPERATIONS, operations_for


def test_each_operation_is_always_in_the_list_and_in_the_same_order() -> None:
    for made in (operations_for(), operations_for(own_gateway=False), operations_for(replicas=["a"], pools=["p"])):
        assert [one.id for one in made] == list(OPERATIONS)


def test_an_operation_that_the_target_lacks_says_why() -> None:
    made = {one.id: one.document() for one in operations_for(replicas=["a-0"], pools=["a"], policies=["retries: off"])}
    assert made["restart"]["possible"]
    assert made["restart"]["arguments"] == [{"name": "replica", "label": "Replica", "choices": ["a-0"]}]
    assert (made["add_pool"]["possible"], made["add_pool"]["why_not"]) == (False, "the stack has no pool in reserve")
    assert made["shed"]["why_not"] == "the gateway has no tiers"


def test_a_foreign_gateway_leaves_restarts_of_replicas_only() -> None:
    made = operations_for(replicas=["a-0"], pools=["a"], tiers=["batch"], own_gateway=False)
    assert [one.id for one in made if one.possible] == ["restart"]
