"""Stack files: their values and defaults, and every mistake in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reports.shared.documents import NotFound
from reports.shared.errors import InvalidFile
from targets.gateway.config import Ejection, GatewayPolicies, Panic
from targets.hardware.profile import load_hardware
from targets.stack import MAX_REPLICAS, load_stack, stack_names
from tests.support.paths import ROOT

GOOD = """\
brownout: 1
name: mine
model: llama-3.3-70b
pools:
  tpu: {cloud: gcp, hardware: llama-70b-tpu-v6e-8, replicas: 2}
  gpu: {cloud: azure, hardware: llama-70b-h100x4, usd_per_hour: 12.5}
gateway:
  policies:
    timeouts: {first_token_s: 1500ms, total_s: 2m}
    retries: {budget: {ttl_s: 5s, reserve_per_s: 3}}
    migration: null
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "stack.yaml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidFile) as caught:
        load_stack(write(folder, text))
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


def test_replicas_are_named_by_pool_and_number_and_cost_the_price_of_their_chips(tmp_path: Path) -> None:
    stack = load_stack(write(tmp_path, GOOD))
    assert [(r.name, r.pool, r.cloud, r.hardware) for r in stack.replicas] == [
        ("tpu-0", "tpu", "gcp", "llama-70b-tpu-v6e-8"),
        ("tpu-1", "tpu", "gcp", "llama-70b-tpu-v6e-8"),
        ("gpu-0", "gpu", "azure", "llama-70b-h100x4"),
    ]
    tpu = load_hardware("llama-70b-tpu-v6e-8")
    assert (stack.replicas[0].chips, stack.replicas[0].usd_per_hour) == (tpu.chips, tpu.usd_per_hour)
    assert stack.replicas[2].usd_per_hour == 12.5
    assert stack.clouds == ("gcp", "azure")


def test_durations_of_the_gateway_may_be_written_with_a_unit(tmp_path: Path) -> None:
    gateway = load_stack(write(tmp_path, GOOD)).gateway
    assert (gateway.timeouts.first_token_s, gateway.timeouts.total_s) == (1.5, 120)
    assert gateway.retries is not None
    assert gateway.retries.budget is not None
    assert (gateway.retries.budget.ttl_s, gateway.retries.budget.reserve_per_s) == (5, 3)
    assert gateway.migration is None
    assert gateway.breaker == GatewayPolicies().breaker


def test_a_stack_can_set_its_context_limit(tmp_path: Path) -> None:
    text = "brownout: 1\nname: s\nmodel: m\npools: {tpu: {cloud: gcp, hardware: llama-70b-tpu-v6e-8}}\n"
    path = tmp_path / "s.yaml"
    path.write_text(text)
    assert load_stack(path).context_limit == 200_000
    path.write_text(text + "context_limit: 131072\n")
    assert load_stack(path).context_limit == 131_072
    assert mistakes(tmp_path, text + "context_limit: 1\n") == [(5, '"context_limit" must be at least 16, not 1', "")]


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    text = """\
brownout: 1
name: My Stack
model: m
pools:
  tpu: {cloud: gcp, hardware: llama-70b-tpu-v6e8, replicas: 0}
  gpu: {cloud: azure, hardware: llama-70b-h100x4, replica: 2}
gateway:
  policies:
    timeouts: {first_token_s: 3 parsecs, conect_s: 1}
    balancing: {kind: p3c}
    panic: {threshold: 5}
"""
    assert mistakes(tmp_path, text) == [
        (2, '"name": "My Stack" does not have the right form', "it must match ^[a-z][a-z0-9-]*$"),
        (
            5,
            '"pools.tpu.hardware": there is no hardware profile "llama-70b-tpu-v6e8"',
            'did you mean "llama-70b-tpu-v6e-8"?',
        ),
        (5, '"pools.tpu.replicas" must be at least 1, not 0', ""),
        (6, 'unknown key "replica" in "pools.gpu"', 'did you mean "replicas"?'),
        (
            9,
            '"gateway.policies.timeouts.first_token_s" must be a duration, not "3 parsecs"',
            "write a number with a unit: 300ms, 15s, 2m",
        ),
        (9, 'unknown key "conect_s" in "gateway.policies.timeouts"', 'did you mean "connect_s"?'),
        (10, '"gateway.policies.balancing.kind": "p3c" is not known here', 'did you mean "p2c"?'),
        (11, '"gateway.policies.panic": threshold must be a share above 0 and at most 1, not 5', ""),
    ]


def test_a_cloud_must_be_listed_by_the_stack_and_offer_the_hardware(tmp_path: Path) -> None:
    text = GOOD.replace("model:", "clouds: [aws, azure]\nmodel:").replace("cloud: gcp", "cloud: awz")
    assert mistakes(tmp_path, text) == [
        (6, 'pool "tpu": "awz" is not one of the clouds of this stack', 'did you mean "aws"?'),
        (
            6,
            'pool "tpu": llama-70b-tpu-v6e-8 is not available in "awz"',
            "write cloud: gcp, or use other hardware",
        ),
    ]


def test_more_replicas_than_the_limit_are_a_mistake(tmp_path: Path) -> None:
    text = GOOD.replace("replicas: 2", f"replicas: {MAX_REPLICAS}")
    [(line, what, _)] = mistakes(tmp_path, text)
    assert line == 4
    assert what == f"{MAX_REPLICAS + 1} replicas exceed the limit of {MAX_REPLICAS}: each is a process on this machine"


def test_an_unknown_stack_is_reported_with_the_closest_name() -> None:
    with pytest.raises(NotFound, match=r'there is no stack "multicloud"\n    did you mean "multi-cloud"\?'):
        load_stack("multicloud")


# -- the stacks that ship -------------------------------------------------------------------------------------------


REFERENCE_HARDWARE = ["affinity-retry-same", "envoy-like", "multi-cloud", "naive", "no-migration", "reported-load"]


def test_stacks_for_comparing_policies_have_the_same_hardware() -> None:
    assert set(stack_names()) >= {*REFERENCE_HARDWARE, "in-house-chip"}
    assert [load_stack(name).name for name in stack_names()] == stack_names()
    stacks = [load_stack(name) for name in REFERENCE_HARDWARE]
    assert {stack.pools for stack in stacks} == {stacks[0].pools}
    assert [replica.name for replica in stacks[0].replicas] == [
        *("nvidia-0", "nvidia-1", "tpu-0", "tpu-1", "trainium-0", "trainium-1")
    ]
    assert {replica.cloud for replica in stacks[0].replicas} == {"aws", "azure", "gcp"}


def test_the_in_house_chip_replaces_one_pool_and_costs_40_percent_less_than_a_tpu() -> None:
    reference, own = load_stack("multi-cloud"), load_stack("in-house-chip")
    assert own.gateway == reference.gateway
    assert own.pools[1:] == reference.pools[1:]
    assert own.pools[0].usd_per_hour == pytest.approx(0.6 * reference.pools[1].usd_per_hour)


def test_reported_load_is_the_reference_stack_balanced_by_metrics() -> None:
    reference, by_metrics = load_stack("multi-cloud").gateway, load_stack("reported-load").gateway
    assert reference.ejection is not None
    assert by_metrics == replace(
        reference,
        balancing=by_metrics.balancing,
        affinity=None,
        ejection=replace(reference.ejection, slow_factor=None),
    )
    assert (by_metrics.balancing.kind, by_metrics.balancing.cross_check) == ("reported_load", False)


def test_affinity_retry_same_retries_on_the_failed_replica_and_envoy_like_does_not() -> None:
    same, envoy = load_stack("affinity-retry-same").gateway, load_stack("envoy-like").gateway
    assert same.retries is not None
    assert envoy.retries is not None
    assert (same.affinity is not None, same.retries.avoid_failed, same.retries.max_retries) == (True, False, 4)
    assert (envoy.affinity, envoy.retries.avoid_failed, envoy.retries.max_retries) == (None, True, 1)
    assert envoy.ejection == Ejection(evacuate=False)
    assert envoy.panic == Panic()


def test_no_migration_is_the_reference_without_migration() -> None:
    reference = load_stack("multi-cloud").gateway
    assert reference.migration is not None
    assert load_stack("no-migration").gateway == replace(reference, migration=None)


def test_naive_has_no_policy_that_reacts_to_failures() -> None:
    naive = load_stack("naive").gateway
    assert naive.balancing.kind == "round_robin"
    assert (naive.affinity, naive.breaker, naive.ejection, naive.panic, naive.migration, naive.probes) == (None,) * 6
    assert naive.retries is not None
    assert (naive.retries.max_retries, naive.retries.avoid_failed, naive.retries.backoff) == (2, False, None)


@pytest.mark.parametrize("name", ["multi-cloud", "naive"])
def test_the_documentation_shows_the_values_of_the_shipped_stacks(name: str) -> None:
    text = (ROOT / "docs" / "policies.md").read_text()
    block = text.split(f"`{name}`", 1)[1].split("```yaml\n", 1)[1].split("```", 1)[0]
    shown = yaml.safe_load(block)["policies"]
    resolved = load_stack(name).resolved()["gateway"]["policies"]
    for policy, values in shown.items():
        assert _contains(resolved[policy], values), policy


def _contains(whole: object, part: object) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(_contains(whole[key], value) for key, value in part.items())
    return whole == part


def test_the_resolved_stack_contains_replicas_and_policies() -> None:
    resolved = load_stack("multi-cloud").resolved()
    assert set(resolved) == {"name", "title", "model", "context_limit", "replicas", "gateway"}
    assert set(resolved["replicas"][0]) == {"name", "pool", "cloud", "hardware", "chips", "usd_per_hour"}
    assert resolved["gateway"]["policies"]["migration"] == {"max_per_call": 3}


# -- the reserve ----------------------------------------------------------------------------------------------------


def test_a_reserve_is_no_part_of_what_runs_until_it_is_added() -> None:
    stack = load_stack("game-day")
    assert [pool.name for pool in stack.pools] == ["nvidia", "tpu", "trainium"]
    assert len(stack.replicas) == 6
    assert [(pool.name, pool.reserve_s) for pool in stack.reserve] == [("spare", 45.0)]
    assert [replica["name"] for replica in stack.resolved()["reserve"]] == ["spare-0", "spare-1"]
    added = stack.with_added(["spare"])
    assert ([replica.name for replica in added.replicas][-2:], added.reserve) == (["spare-0", "spare-1"], ())
    assert stack.with_added([]) == stack
    assert "reserve" not in load_stack("multi-cloud").resolved()


def test_a_stack_of_reserves_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text(
        "brownout: 1\nname: s\nmodel: m\npools:\n  spare: {cloud: azure, hardware: llama-70b-h100x4, reserve: 45s}\n"
    )
    with pytest.raises(InvalidFile, match="every pool is a reserve"):
        load_stack(path)
