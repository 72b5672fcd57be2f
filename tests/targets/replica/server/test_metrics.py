"""`/metrics`: vLLM's names and their values."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import MODEL, chat, control, marked, post, put

NAMES = [
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:prefix_cache_hits_total",
    "vllm:prefix_cache_queries_total",
    "vllm:num_preemptions_total",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:request_success_total",
    "vllm:time_to_first_token_seconds_count",
    "vllm:time_per_output_token_seconds_count",
    "vllm:inter_token_latency_seconds_count",
    "vllm:e2e_request_latency_seconds_count",
    "vllm:request_queue_time_seconds_count",
    "vllm:request_prefill_time_seconds_count",
    "vllm:request_decode_time_seconds_count",
    "vllm:request_inference_time_seconds_count",
    "vllm:request_prompt_tokens_sum",
    "vllm:request_generation_tokens_sum",
    "vllm:cache_config_info",
]


async def scrape(replica: ReplicaServer) -> dict[str, float]:
    """Returns the sums over all labels, by sample name."""
    async with aiohttp.ClientSession() as session, session.get(replica.url + "/metrics") as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
            if sample.name != "vllm:cache_config_info":
                assert sample.labels["model_name"] == MODEL
    return found


async def test_all_of_vllms_names_are_present_from_the_start(replica: ReplicaServer) -> None:
    found = await scrape(replica)
    assert [name for name in NAMES if name not in found] == []


async def test_metrics_count_the_served_requests(replica: ReplicaServer) -> None:
    for turn in range(2):
        await post(replica, chat(marked("word " * 100, turn=turn), max_tokens=10))
    await put(replica, "f1", "cut", params={"after_tokens": 3, "how": "clean"})
    await post(replica, chat(marked("word " * 100, turn=2), max_tokens=10))
    await control(replica, "DELETE", "/behaviours/f1")
    found = await scrape(replica)
    assert found["vllm:request_success_total"] == 3
    assert found["vllm:time_to_first_token_seconds_count"] == 3
    assert found["vllm:e2e_request_latency_seconds_count"] == 2
    assert found["vllm:request_generation_tokens_sum"] == 20
    assert found["vllm:inter_token_latency_seconds_count"] == found["vllm:generation_tokens_total"] - 3
    assert found["vllm:prefix_cache_queries_total"] == found["vllm:prompt_tokens_total"]
    assert found["vllm:prefix_cache_hits_total"] > 200
    assert found["vllm:num_requests_running"] == 0
    assert found["vllm:request_decode_time_seconds_sum"] > 0
