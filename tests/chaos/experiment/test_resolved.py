"""An experiment as its record stores it, on each kind of target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos.experiment.file import ExperimentFile
from chaos.experiment.model import Experiment, GatewayChoice, load_experiment
from chaos.experiment.resolved import resolve
from reports.shared.documents import parse_document, validate
from tests.support.experiment_files import WITHOUT_FAULTS

OF_A_URL: dict[str, Any] = {
    "api": None,
    "key_env": None,
    "headers": {},
    "max_tokens_field": None,
    "tools": True,
    "stream_options": True,
}
USERS = "{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive, first_port: 18101}}"

TARGETS: list[tuple[str, dict[str, Any], str, bool]] = [
    (
        "{stack: naive, gateway: {nginx: {allow_exposed: true}}}",
        {"stack": "naive", "gateway": {"nginx": {"preset": "default", "allow_exposed": True}}},
        "adapter",
        False,
    ),
    ("{stack: naive}", {"stack": "naive"}, "reference", True),
    (
        "{stack: naive, gateway: {nginx: {}}}",
        {"stack": "naive", "gateway": {"nginx": {"preset": "default"}}},
        "adapter",
        False,
    ),
    (
        "{stack: naive, gateway: {haproxy: {preset: tuned}}}",
        {"stack": "naive", "gateway": {"haproxy": {"preset": "tuned"}}},
        "adapter",
        False,
    ),
    ("{url: 'http://127.0.0.1:4000', model: m}", {"url": "http://127.0.0.1:4000", "model": "m", **OF_A_URL}, "", False),
    (
        USERS,
        {
            "url": "http://127.0.0.1:4000",
            "model": "m",
            **OF_A_URL,
            "replicas": {"stack": "naive", "first_port": 18101},
        },
        "running",
        False,
    ),
]


def on(folder: Path, target: str, **options: Any) -> Experiment:
    path = folder / "mine.yaml"
    path.write_text(WITHOUT_FAULTS.replace("{stack: multi-cloud}", target))
    return load_experiment(path, **options)


@pytest.mark.parametrize(("target", "resolved", "front", "own"), TARGETS, ids=lambda value: str(value)[:40])
def test_each_kind_of_target_is_stored_with_its_defaults(
    tmp_path: Path, target: str, resolved: dict[str, Any], front: str, own: bool
) -> None:
    experiment = on(tmp_path, target)
    stored = resolve(experiment)
    assert stored["target"] == resolved
    assert experiment.own_gateway is own
    if front:
        assert experiment.front == front
        assert stored["stack"]["name"] == "naive"
        assert ("gateway" in stored["stack"]) is own  # its policies
    else:
        assert stored["stack"] is None


@pytest.mark.parametrize("target", [target for target, *_ in TARGETS])
def test_a_stored_experiment_can_be_played_again(tmp_path: Path, target: str) -> None:
    stored = resolve(on(tmp_path, target))
    assert json.loads(json.dumps(stored)) == stored
    written = {key: value for key, value in stored.items() if key in ExperimentFile.model_fields}
    written["load"] = {"profile": written["load"]["profile"]}
    written["target"] = {key: value for key, value in written["target"].items() if value is not None}
    validate(parse_document(yaml.safe_dump(written), "again.yaml"), ExperimentFile)
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(written))
    assert resolve(load_experiment(again))["target"] == stored["target"]


def test_tolerances_are_stored_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WITHOUT_FAULTS + "tolerances: ['ttft.p95 =  30%', cost.per_1k_sessions=off]\n")
    assert resolve(load_experiment(path))["tolerances"] == ["ttft.p95 = 30%", "cost.per_1k_sessions=off"]
    path.write_text(WITHOUT_FAULTS)
    assert "tolerances" not in resolve(load_experiment(path))


def test_a_gateway_of_the_command_line_replaces_that_of_the_file(tmp_path: Path) -> None:
    target = "{stack: naive, gateway: {nginx: {preset: tuned}}}"
    experiment = on(tmp_path, target, gateway=GatewayChoice("haproxy"), stack="multi-cloud")
    assert resolve(experiment)["target"] == {
        "stack": "multi-cloud",
        "gateway": {"haproxy": {"preset": "default"}},
    }
    assert str(experiment.gateway) == "haproxy:default"
