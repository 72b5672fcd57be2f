"""The configurations of the processes of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.experiment.model import Front, load_experiment
from chaos.faults.catalogue import KINDS
from chaos.runner import deployment as deployment_module
from chaos.runner import ports as ports_module
from chaos.runner.deployment import Deployment, load_spec
from chaos.runner.load_config import load_config
from chaos.runner.ports import free_ports
from chaos.runner.record_writer import RunFolder
from reports.shared.errors import UserError
from targets.gateway.config import Operations
from targets.stack import load_stack
from tests.support.telltales import Telltales


@pytest.mark.parametrize(("limit", "configured"), [(200_000, 200_000), (400_000, 290_000), (32_000, 32_000)])
def test_the_context_limit_of_a_replica_is_bounded_by_its_cache(tmp_path: Path, limit: int, configured: int) -> None:
    stack = replace(load_stack("multi-cloud"), context_limit=limit)
    folder = RunFolder(tmp_path, "test")
    deployment = Deployment.plan(stack, folder, "token", "http://127.0.0.1:1", 7)
    deployment.replica_spec("tpu-0")  # 290,000 tokens of cache
    assert json.loads(folder.child_config("tpu-0").read_text())["context_limit"] == configured


def test_replicas_have_the_ports_from_the_first_one_on_in_the_stacks_order(tmp_path: Path) -> None:
    stack = load_stack("naive")
    first = min(free_ports(1, without=range(40_000, 65_536)))
    try:
        planned = Deployment.plan(
            stack, RunFolder(tmp_path, "test"), "token", "http://127.0.0.1:1", 7, first_port=first, front="running"
        )
    except UserError as taken:
        pytest.skip(str(taken))
    ports = [address.port for address in planned.addresses.values()]
    assert ports == list(range(first, first + len(stack.replicas)))
    assert list(planned.addresses) == [replica.name for replica in stack.replicas]
    assert (planned.gateway_port, planned.gateway_control_port, planned.own_gateway) == (0, 0, False)


@pytest.mark.parametrize("front", ["reference", "adapter", "running"])
def test_no_port_is_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, front: Front) -> None:
    """Also where hardly any other port is free: the ports are chosen in several steps."""
    stack = load_stack("naive")
    count = 2 * len(stack.replicas) + (0 if front == "running" else 2)
    monkeypatch.setattr(ports_module, "_candidates", lambda: list(range(20_000, 20_000 + count)))
    monkeypatch.setattr(ports_module, "_can_bind", lambda port: True)
    monkeypatch.setattr(ports_module, "_claim", lambda port: True)
    planned = Deployment.plan(stack, RunFolder(tmp_path, "test"), "token", "http://127.0.0.1:1", 7, front=front)
    ports = [port for address in planned.addresses.values() for port in (address.port, address.control_port)]
    ports += [port for port in (planned.gateway_port, planned.gateway_control_port, planned.admin_port) if port]
    assert sorted(ports) == list(range(20_000, 20_000 + count))


def test_a_control_port_is_never_one_that_the_user_chose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = load_stack("naive")
    count = len(stack.replicas)
    monkeypatch.setattr(ports_module, "_candidates", lambda: list(range(20_000, 20_000 + 2 * count)))
    monkeypatch.setattr(ports_module, "_can_bind", lambda port: True)
    monkeypatch.setattr(ports_module, "_claim", lambda port: True)
    monkeypatch.setattr(deployment_module, "check_free", lambda port: None)
    planned = Deployment.plan(
        stack, RunFolder(tmp_path, "test"), "token", "http://127.0.0.1:1", 7, first_port=20_000, front="running"
    )
    control = {address.control_port for address in planned.addresses.values()}
    assert control == set(range(20_000 + count, 20_000 + 2 * count))


@pytest.mark.parametrize(("front", "processes"), [("reference", {"gateway"}), ("adapter", set()), ("running", set())])
def test_only_the_reference_gateway_is_a_process_of_ours(tmp_path: Path, front: Front, processes: set[str]) -> None:
    stack = load_stack("naive")
    planned = Deployment.plan(stack, RunFolder(tmp_path, "test"), "token", "http://127.0.0.1:1", 7, front=front)
    replicas = {replica.name for replica in stack.replicas}
    assert {spec.name for spec in planned.specs()} == replicas | processes
    assert planned.urls().keys() == replicas | processes


def test_a_replica_logs_its_requests_in_the_runs_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "test")
    deployment = Deployment.plan(load_stack("naive"), folder, "token", "http://127.0.0.1:1", 7)
    deployment.replica_spec("tpu-0")
    log = json.loads(folder.child_config("tpu-0").read_text())["request_log"]
    assert log == str((folder.path / "requests" / "tpu-0.jsonl").absolute())


def test_a_reserve_has_ports_of_its_own_and_does_not_start_with_the_stack(tmp_path: Path) -> None:
    stack = load_stack("game-day")
    folder = RunFolder(tmp_path, "test")
    deployment = Deployment.plan(stack, folder, "token", "http://127.0.0.1:1", 7, with_reserve=True)
    names = [replica.name for replica in stack.replicas]
    assert [spec.name for spec in deployment.specs()] == [*names, "gateway"]
    assert list(deployment.addresses) == names
    everyone = [*deployment.addresses.values(), *deployment.reserve.values()]
    ports = [deployment.gateway_port, deployment.gateway_control_port]
    ports += [port for address in everyone for port in (address.port, address.control_port)]
    assert len(set(ports)) == len(ports)
    config = json.loads(folder.child_config("gateway").read_text())
    assert (len(config["upstreams"]), config["reserve"]) == (8, ["spare"])
    added = deployment.add("spare")
    assert list(deployment.addresses) == [*names, *added] == [*names, "spare-0", "spare-1"]
    deployment.operations = Operations(drained=("tpu",), added=("spare",))
    deployment.gateway_spec()
    config = json.loads(folder.child_config("gateway").read_text())
    assert config["operations"]["added"] == ["spare"]
    deployment.replica_spec("spare-1", 45.0)
    assert json.loads(folder.child_config("spare-1").read_text())["cold_start_s"] == 45.0
    deployment.take_away("spare")
    assert list(deployment.addresses) == names


@pytest.mark.parametrize(("front", "with_reserve"), [("reference", False), ("adapter", True), ("none", True)])
def test_a_run_and_other_gateways_leave_the_reserve_out(tmp_path: Path, front: Front, with_reserve: bool) -> None:
    folder = RunFolder(tmp_path, "test")
    deployment = Deployment.plan(
        load_stack("game-day"), folder, "token", "http://127.0.0.1:1", 7, front=front, with_reserve=with_reserve
    )
    assert deployment.reserve == {}
    if front == "reference":
        deployment.gateway_spec()
        config = json.loads(folder.child_config("gateway").read_text())
        assert (len(config["upstreams"]), config["reserve"]) == (6, [])


def test_arguments_and_environments_name_neither_the_experiment_nor_the_seed(tmp_path: Path) -> None:
    """Other accounts can read arguments; what a process inherits must not tell what is withheld in a game day."""
    experiment = load_experiment("retry-storm", seed=4711)
    folder = RunFolder(tmp_path, "game-day", private=True)
    deployment = Deployment.plan(load_stack("naive"), folder, "token", "http://127.0.0.1:1", 4711)
    config = load_config(experiment, deployment.gateway_url)
    load = load_spec(folder, config, token="token", collector="http://127.0.0.1:1")
    search = Telltales(kinds=KINDS, names=["retry-storm", experiment.title, experiment.profile.name, "4711"])
    for spec in (*deployment.specs(), load):
        search.check(f"arguments of {spec.name}", " ".join(spec.argv))
        own = [f"{name}={value}" for name, value in spec.env.items() if name.startswith("BROWNOUT_")]
        search.check(f"environment of {spec.name}", "\n".join(own).replace(str(tmp_path), ""))
