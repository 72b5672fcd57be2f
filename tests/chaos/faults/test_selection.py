"""Which replicas a fault affects: exactly those that are named; `count` is drawn by the seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chaos.faults.selection import COUNTS, Selector, how_many, unknown_names
from chaos.faults.world import ReplicaView
from chaos.testing.memory_world import REPLICAS


def chosen(seed: int = 7, fault_id: str = "f1", **selector: object) -> list[str]:
    return Selector.model_validate(selector).select(REPLICAS, seed, fault_id)


def test_pools_replicas_and_clouds_are_selected_by_name() -> None:
    assert chosen(pool="tpu") == ["tpu-0", "tpu-1"]
    assert chosen(pool=["tpu", "nvidia"]) == ["nvidia-0", "nvidia-1", "tpu-0", "tpu-1"]
    assert chosen(replica="trainium-1") == ["trainium-1"]
    assert chosen(cloud="aws") == ["trainium-0", "trainium-1"]
    assert chosen(cloud="gcp", replica=["tpu-1", "nvidia-0"]) == ["tpu-1"]
    assert chosen(cloud="gcp", pool="nvidia") == []
    assert len(chosen(count="all")) == 6


def test_a_selector_without_any_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="selects no replica"):
        Selector.model_validate({})
    with pytest.raises(ValidationError):
        Selector.model_validate({"pool": []})


@pytest.mark.parametrize(
    ("count", "of", "many"),
    [
        ("one", 6, 1),
        ("minority", 6, 2),
        ("majority", 6, 4),
        ("all", 6, 6),
        ("minority", 5, 2),
        ("majority", 5, 3),
        ("minority", 2, 1),
        ("minority", 1, 1),
        ("majority", 1, 1),
        ("one", 0, 0),
        ("majority", 0, 0),
    ],
)
def test_a_minority_is_less_than_half_and_a_majority_more_than_half(count: str, of: int, many: int) -> None:
    assert how_many(count, of) == many  # type: ignore[arg-type]


@given(st.sampled_from(sorted(COUNTS)), st.integers(0, 2**40), st.integers(1, 20))
def test_a_draw_has_the_right_number_in_stack_order_and_is_repeatable(count: str, seed: int, n: int) -> None:
    replicas = [ReplicaView(f"a-{i}", "a", "c") for i in range(n)]
    selector = Selector.model_validate({"pool": "a", "count": count})
    names = selector.select(replicas, seed, "f1")
    assert len(names) == how_many(selector.count, n)
    assert names == [replica.name for replica in replicas if replica.name in names]
    assert names == selector.select(replicas, seed, "f1")
    # a replica in another pool changes nothing
    assert names == selector.select([*replicas, ReplicaView("b-0", "b", "c")], seed, "f1")


def test_each_seed_and_fault_draws_independently() -> None:
    drawn = {tuple(chosen(seed, f"f{n}", count="one")) for seed in range(20) for n in range(3)}
    assert len(drawn) == 6


def test_unknown_names_are_reported_with_the_most_similar_ones() -> None:
    selector = Selector.model_validate({"pool": ["tup", "tpu"], "replica": "tpu-7", "cloud": "moon"})
    assert unknown_names(selector, REPLICAS) == [
        ("pool", 'the stack has no pool "tup"', 'did you mean "tpu"?'),
        ("replica", 'the stack has no replica "tpu-7"', 'did you mean "tpu-1"?'),
        ("cloud", 'the stack has no cloud "moon"', "it is one of: aws, azure, gcp"),
    ]
