"""`/metrics` under vLLM's names, so that routers and dashboards made for vLLM work.

The engine's counters are read at each scrape. A request is added to the histograms once, at its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from reports.shared.attributes import Outcome
from targets.replica.api.conversation import BLOCK_TOKENS
from targets.replica.delivery.driver import ITL_BOUNDS_S, Driver
from targets.replica.server.served_request import ServedRequest

__all__ = ["Metrics"]

_TTFT_S: Final = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
_REQUEST_S: Final = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0,
    60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
_TOKENS: Final = tuple(float(digit * 10**power) for power in range(6) for digit in (1, 2, 5))


class _EngineCollector(Collector):
    """Reads engine and driver at each scrape."""

    def __init__(self, driver: Driver, labels: dict[str, str]) -> None:
        self._driver = driver
        self._names = list(labels)
        self._values = list(labels.values())

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily]:
        engine = self._driver.engine
        total = engine.kv_total
        gauges = (
            ("vllm:num_requests_running", "Number of requests in model execution batches.", engine.running),
            ("vllm:num_requests_waiting", "Number of requests waiting to be processed.", engine.waiting),
            ("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", engine.kv_used / total),
        )
        for name, text, value in gauges:
            gauge = GaugeMetricFamily(name, text, labels=self._names)
            gauge.add_metric(self._values, value)
            yield gauge
        counters = (
            ("vllm:prefix_cache_hits", "Prefix cache hits, in tokens.", engine.prefix_hit_tokens),
            ("vllm:prefix_cache_queries", "Prefix cache queries, in tokens.", engine.prefix_query_tokens),
            ("vllm:num_preemptions", "Cumulative number of preemptions from the engine.", engine.preemptions),
        )
        for name, text, count in counters:
            counter = CounterMetricFamily(name, text, labels=self._names)
            counter.add_metric(self._values, count)
            yield counter
        histogram = self._driver.itl_s
        buckets: list[tuple[str, float]] = []
        seen = 0
        for bound, in_bucket in zip([*map(str, histogram.bounds), "+Inf"], histogram.counts, strict=True):
            seen += in_bucket
            buckets.append((bound, seen))
        itl = HistogramMetricFamily(
            "vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", labels=self._names
        )
        itl.add_metric(self._values, buckets, histogram.sum)
        yield itl
        info = GaugeMetricFamily(
            "vllm:cache_config_info",
            "Information of the LLMEngine CacheConfig",
            labels=["block_size", "num_gpu_blocks", "enable_prefix_caching", "engine"],
        )
        info.add_metric([str(BLOCK_TOKENS), str(total), "True", "0"], 1.0)
        yield info


class Metrics:
    """The metrics of one replica, in their own registry."""

    def __init__(self, driver: Driver, model: str) -> None:
        self._registry = CollectorRegistry()
        labels = {"model_name": model, "engine": "0"}
        self._registry.register(_EngineCollector(driver, labels))

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, text, list(labels), buckets=buckets, registry=self._registry).labels(**labels)

        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, list(labels), registry=self._registry).labels(**labels)

        self._prompt_total = counter("vllm:prompt_tokens", "Number of prefill tokens processed.")
        self._generation_total = counter("vllm:generation_tokens", "Number of generation tokens processed.")
        success = Counter(
            "vllm:request_success",
            "Count of successfully processed requests.",
            [*labels, "finished_reason"],
            registry=self._registry,
        )
        self._success = {
            reason: success.labels(**labels, finished_reason=reason) for reason in ("stop", "length", "abort")
        }
        self._ttft = histogram(
            "vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", _TTFT_S
        )
        self._tpot = histogram(
            "vllm:time_per_output_token_seconds", "Histogram of time per output token in seconds.", ITL_BOUNDS_S
        )
        self._e2e = histogram(
            "vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", _REQUEST_S
        )
        phases = (
            ("queue", "WAITING"),
            ("prefill", "PREFILL"),
            ("decode", "DECODE"),
            ("inference", "RUNNING"),
        )
        self._phase = {
            name: histogram(
                f"vllm:request_{name}_time_seconds",
                f"Histogram of time spent in {phase} phase for request.",
                _REQUEST_S,
            )
            for name, phase in phases
        }
        self._prompt = histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", _TOKENS)
        self._generation = histogram(
            "vllm:request_generation_tokens", "Number of generation tokens processed.", _TOKENS
        )

    def observe(self, served: ServedRequest) -> None:
        """Count a request at its end, if it was in the engine."""
        job, answer = served.job, served.answer
        if job is None or answer is None:
            return
        self._generation_total.inc(job.produced)
        if job.admitted_at is not None:
            self._phase["queue"].observe(job.admitted_at - job.submitted_at)
        if job.first_at is not None and job.admitted_at is not None:
            self._prompt_total.inc(answer.prompt_tokens)
            self._ttft.observe(job.first_at - served.arrived)
            self._phase["prefill"].observe(job.first_at - job.admitted_at)
        if served.outcome is not Outcome.OK:
            self._success["abort"].inc()
            return
        self._success["length" if answer.finish == "length" else "stop"].inc()
        self._e2e.observe(served.ended - served.arrived)
        self._prompt.observe(answer.prompt_tokens)
        self._generation.observe(job.produced)
        if job.first_at is not None and job.admitted_at is not None:
            self._phase["decode"].observe(job.last_at - job.first_at)
            self._phase["inference"].observe(job.last_at - job.admitted_at)
            if job.produced > 1:
                self._tpot.observe((job.last_at - job.first_at) / (job.produced - 1))

    def text(self) -> bytes:
        """Returns the page, in Prometheus' text format."""
        return generate_latest(self._registry)
