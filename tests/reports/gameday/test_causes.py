"""Causes: every kind of fault has one, and what people may call right."""

from __future__ import annotations

import pytest

from chaos.faults.catalogue import KINDS
from reports.gameday.causes import CAUSE_OF_KIND, CAUSES, cause_of, component_text, components_of

POOLS = {"tpu": ["tpu-0", "tpu-1"], "gpu": ["gpu-0"]}
CLOUDS = {"gcp": ["tpu-0", "tpu-1"], "azure": ["gpu-0"]}
ALL = ["tpu-0", "tpu-1", "gpu-0"]


def test_every_kind_of_fault_has_a_cause() -> None:
    assert set(CAUSE_OF_KIND) == set(KINDS)
    assert set(CAUSE_OF_KIND.values()) <= set(CAUSES)


@pytest.mark.parametrize(
    ("kind", "targets", "params", "cause"),
    [
        ("kill", ["tpu-0"], {}, "replica_down"),
        ("kill", ["tpu-0", "tpu-1"], {}, "pool_lost"),
        ("freeze", ["tpu-1", "tpu-0", "gpu-0"], {}, "pool_lost"),
        ("slow_decode", ["tpu-0", "tpu-1"], {}, "replica_slow"),
        ("surge", ["load"], {"factor": 3.0}, "demand"),
        ("surge", ["load"], {"factor": 3.0, "tenant": "hooli"}, "tenant"),
        ("a kind of a newer version", ["tpu-0"], {}, "other"),
    ],
)
def test_the_cause_depends_on_kind_targets_and_tenant(
    kind: str, targets: list[str], params: dict[str, object], cause: str
) -> None:
    assert cause_of(kind, targets, POOLS, ALL, params) == cause


def test_the_only_replica_of_a_stack_is_down_and_not_a_pool_lost() -> None:
    assert cause_of("kill", ["r-0"], {"all": ["r-0"]}, ["r-0"]) == "replica_down"


def test_replica_and_its_pool_are_right_and_a_cloud_only_as_a_whole() -> None:
    assert components_of(["tpu-0"], POOLS, CLOUDS) == ("replica:tpu-0", "pool:tpu")
    whole = components_of(["tpu-0", "tpu-1"], POOLS, CLOUDS)
    assert whole == ("replica:tpu-0", "replica:tpu-1", "pool:tpu", "cloud:gcp")


def test_a_fault_of_the_load_is_right_by_its_tenant_or_as_the_load() -> None:
    assert components_of(["load"], POOLS, CLOUDS, {"tenant": "hooli"}) == ("tenant:hooli", "load")
    assert components_of(["gateway"], POOLS, CLOUDS) == ("gateway",)


def test_components_are_read_as_words() -> None:
    texts = [component_text(one) for one in ("pool:tpu", "gateway", "load", "something")]
    assert texts == ["pool tpu", "the gateway", "the load", "something"]
