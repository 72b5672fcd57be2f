"""The configuration of the load generator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.experiment.model import Experiment, load_experiment
from chaos.runner.load_config import load_config
from loadprofiles.client.endpoint import is_loopback
from loadprofiles.player.load_config import LoadConfig
from tests.support.experiment_files import WITHOUT_FAULTS


def test_the_load_generator_replays_the_resolved_trace(tmp_path: Path) -> None:
    path = tmp_path / "hour.csv"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,4808,10\n2023-11-16 18:17:05,12,3\n")
    experiment = load_experiment("lose-tpu-pool", trace={"dir": str(path), "rate": "recorded"})
    resolved = {"dir": str(path), "format": "azure", "rate": "recorded", "speed": 4.0}
    config = load_config(replace(experiment, trace=resolved), "http://127.0.0.1:1")
    assert config["trace"]["format"] == "azure"
    known = {key: value for key, value in config.items() if key in ("url", "model", "run", "trace", "seed")}
    plans = LoadConfig(**known, profile=experiment.profile).plans()
    assert [next(plans).start_at_s for _ in range(3)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1:80", False),
        ("not a url", False),
    ],
)
def test_only_localhost_and_loopback_addresses_are_this_machine(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def on(folder: Path, target: str) -> Experiment:
    path = folder / "mine.yaml"
    path.write_text(WITHOUT_FAULTS.replace("{stack: multi-cloud}", target))
    return load_experiment(path)


def test_tokens_of_our_replicas_can_be_verified_behind_any_gateway(tmp_path: Path) -> None:
    replicas = "replicas: {stack: naive, first_port: 18101}"
    behind = on(tmp_path, f"{{url: 'http://127.0.0.1:4000', model: m, headers: {{X-A: b}}, {replicas}}}")
    config = load_config(behind, "http://127.0.0.1:4000")
    assert (config["provable"], config["model"], config["headers"]) == (True, "m", {"X-A": "b"})
    endpoint = on(tmp_path, "{url: 'http://127.0.0.1:4000', model: m}")
    assert load_config(endpoint, "http://127.0.0.1:4000")["provable"] is None


def test_clients_send_what_a_gateway_of_the_run_wants(tmp_path: Path) -> None:
    experiment = on(tmp_path, "{stack: naive, gateway: {nginx: {}}}")
    assert load_config(experiment, "http://127.0.0.1:1", {"x-config": "y"})["headers"] == {"x-config": "y"}
