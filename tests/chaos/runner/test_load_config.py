"""The configuration of the load generator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.experiment.model import load_experiment
from chaos.runner.load_config import load_config
from loadprofiles.client.endpoint import is_loopback
from loadprofiles.player.load_config import LoadConfig


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
