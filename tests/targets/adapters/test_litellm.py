"""LiteLLM: its configuration, its key, and a real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from targets.adapters.base import Site, Upstream
from targets.adapters.litellm import LiteLLM
from tests.support.fake_gateway import site
from tests.support.real_gateway import real_gateway, streams_arrive_token_by_token

LITELLM = LiteLLM()


@pytest.mark.parametrize("preset", LITELLM.presets)
def test_all_replicas_are_deployments_of_one_model(tmp_path: Path, preset: str) -> None:
    config = yaml.safe_load(LITELLM.files(site(tmp_path, preset))["litellm.yaml"])
    assert {deployment["model_name"] for deployment in config["model_list"]} == {"llama-3.1-8b"}
    first = config["model_list"][0]
    assert first["litellm_params"]["model"] == "hosted_vllm/llama-3.1-8b"
    assert first["litellm_params"]["api_base"] == "http://127.0.0.1:18101/v1"
    assert [deployment["model_info"]["id"] for deployment in config["model_list"]] == ["tpu-0", "gpu-0"]
    assert ("router_settings" in config) == (preset == "tuned")


@pytest.mark.parametrize("model", ['odd: "name"', "true", "a\nb", "#1"])
def test_any_model_name_stays_as_it_is(tmp_path: Path, model: str) -> None:
    where = Site((Upstream("tpu-0", "http://127.0.0.1:18101", "tpu"),), 4000, 4001, tmp_path, model, "default")
    config = yaml.safe_load(LITELLM.files(where)["litellm.yaml"])
    assert config["model_list"][0]["model_name"] == model


def test_clients_send_the_key_that_the_proxy_demands(tmp_path: Path) -> None:
    where = site(tmp_path, "default")
    key = LITELLM.environment(where)["LITELLM_MASTER_KEY"]
    assert LITELLM.headers(where) == {"Authorization": f"Bearer {key}"}


def test_nothing_is_fetched_at_start_and_nothing_written_elsewhere(tmp_path: Path) -> None:
    environment = LITELLM.environment(site(tmp_path, "default"))
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert environment["HOME"].startswith(str(tmp_path))


@pytest.mark.parametrize(("output", "version"), [("1.108.7\n", "1.108.7"), ("no version", None)])
def test_the_version_is_read(output: str, version: str | None) -> None:
    assert LITELLM.version_in(output) == version


@pytest.mark.long
async def test_a_real_one_streams(tmp_path: Path) -> None:
    async with real_gateway("litellm:tuned", tmp_path) as gateway:
        await streams_arrive_token_by_token(gateway)
