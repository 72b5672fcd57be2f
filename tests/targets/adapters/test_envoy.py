"""Envoy: its configuration, its page of clusters, and a real one where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from targets.adapters.base import UpstreamState
from targets.adapters.envoy import Envoy, parse_clusters
from tests.support.fake_gateway import site
from tests.support.real_gateway import attempts_in_statistics_are_true, real_gateway, streams_arrive_token_by_token

ENVOY = Envoy()


def host(port: int, health: dict[str, Any] | None = None, **stats: int) -> dict[str, Any]:
    """As Envoy prints it: counters are text, and 0 is left out."""
    names = ("cx_connect_fail", "rq_error", "rq_success", "rq_total")
    values = [{"name": name} | ({"value": str(stats[name])} if name in stats else {}) for name in names]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"address": address, "stats": values, "health_status": {"eds_health_status": "HEALTHY"} | (health or {})}


def page(*hosts: dict[str, Any]) -> str:
    return json.dumps({"cluster_statuses": [{"name": "replicas", "host_statuses": list(hosts)}]})


def test_calls_that_fail_with_one_connection_are_all_refused(tmp_path: Path) -> None:
    """As seen: 20 calls at once at a dead replica, 16 connections, and 4 calls before that were answered."""
    text = page(host(18101, cx_connect_fail=16, rq_error=20, rq_success=4, rq_total=4), host(18102))
    states = parse_clusters(site(tmp_path, "default"), text)
    assert states == {"tpu-0": UpstreamState(24, 20, True), "gpu-0": UpstreamState(0, 0, True)}


def test_its_count_of_refused_calls_is_not_exact() -> None:
    """While calls wait for an answer, it is too low by as many."""
    assert ENVOY.statistics is not None
    assert not ENVOY.statistics.exact


def test_errors_of_a_replica_that_answers_are_not_refused(tmp_path: Path) -> None:
    text = page(host(18101, cx_connect_fail=20, rq_error=23, rq_success=1, rq_total=4))
    assert parse_clusters(site(tmp_path, "tuned"), text)["tpu-0"] == UpstreamState(24, 20, True)


def test_calls_that_wait_for_an_answer_are_attempts(tmp_path: Path) -> None:
    text = page(host(18101, rq_success=2, rq_total=9))
    assert parse_clusters(site(tmp_path, "tuned"), text)["tpu-0"] == UpstreamState(9, 0, True)


@pytest.mark.parametrize("health", ["failed_active_health_check", "failed_outlier_check"])
def test_an_ejected_replica_is_not_available(tmp_path: Path, health: str) -> None:
    states = parse_clusters(site(tmp_path, "tuned"), page(host(18102, {health: True})))
    assert states == {"gpu-0": UpstreamState(0, 0, False)}


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"cluster_statuses": [{}]}', '{"cluster_statuses": 1}'])
def test_a_page_that_is_none_of_clusters_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="this is not Envoy's page of clusters"):
        parse_clusters(site(tmp_path, "tuned"), text)


@pytest.mark.parametrize("preset", ENVOY.presets)
def test_a_configuration_is_yaml_with_an_endpoint_for_each_replica(tmp_path: Path, preset: str) -> None:
    config = yaml.safe_load(ENVOY.files(site(tmp_path, preset))["envoy.yaml"])
    (cluster,) = config["static_resources"]["clusters"]
    endpoints = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ports = [endpoint["endpoint"]["address"]["socket_address"]["port_value"] for endpoint in endpoints]
    assert ports == [18101, 18102]
    assert ("outlier_detection" in cluster) == (preset == "tuned")


@pytest.mark.parametrize("preset", ENVOY.presets)
def test_a_stream_has_no_limit_of_time(tmp_path: Path, preset: str) -> None:
    config = yaml.safe_load(ENVOY.files(site(tmp_path, preset))["envoy.yaml"])
    (listener,) = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert routes[-1]["route"]["timeout"] == "0s"
    assert ("retry_policy" in routes[-1]["route"]) == (preset == "tuned")


def test_the_version_is_read() -> None:
    output = "envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL"
    assert ENVOY.version_in(output) == "1.40.0"
    assert ENVOY.version_in("") is None


async def test_a_real_one_streams_and_counts_its_attempts(tmp_path: Path) -> None:
    async with real_gateway("envoy:tuned", tmp_path) as gateway:
        await attempts_in_statistics_are_true(gateway)
        await streams_arrive_token_by_token(gateway)
