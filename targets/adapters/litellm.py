"""LiteLLM's proxy: translates between APIs, routes by model name, retries, and excludes failing deployments.

Facts, seen with 1.108.7 in front of our replicas:

- It drops `traceparent`: calls are joined by the conversation.
- It is the slowest: 60 streams of 200 tokens took 12 s on a shared core, 1 s with the others. Scale the load down.
- It is ready after 9 to 14 s, and has 300 MB of memory then, 700 MB after 220 streams at once.
- A stream that its replica cuts ends with an error event and a clean end of the answer.
- The provider is `hosted_vllm`. With `openai`, a call of `/v1/messages` goes to `/v1/responses`, which replicas lack.
- A model name that it knows makes it fetch a tokenizer: `HF_HUB_OFFLINE` forbids it. Its list of prices is fetched at
  start, unless `LITELLM_LOCAL_MODEL_COST_MAP` is set.
- It would open and migrate the database of `DATABASE_URL`. An empty value is an error: it must not be inherited.
- It tells nothing of its upstreams without a database. Each answer names its replica in `x-litellm-model-id`.
- SIGTERM: it would wait 30 s for streams (`GRACEFUL_SHUTDOWN_TIMEOUT`). With 0 it ends within 0.3 s, but one that is
  saturated by streams notices the signal only when they end: it needs SIGKILL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from targets.adapters.base import LOOPBACK, Adapter, Install, Installation, Pip, Site

__all__ = ["LiteLLM"]

_KEY: Final = "sk-brownout"
"""The key that clients must send. It protects nothing: the proxy listens on loopback, and refuses to start without."""

_PRESETS: Final = {
    "default": "a list of deployments of one model, as in its page on load balancing",
    "tuned": "two retries without delay; one failure takes a replica out for 5 s; 5 s to a stream's first chunk",
}

_ROUTER: Final = {
    "default": "",
    "tuned": """\
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 2
  retry_after: 0
  allowed_fails: 1
  cooldown_time: 5
  timeout: 20
  stream_timeout: 5
""",
}


class LiteLLM(Adapter):
    """The adapter of LiteLLM."""

    name: ClassVar[str] = "litellm"
    title: ClassVar[str] = "LiteLLM proxy, a gateway for LLMs"
    version: ClassVar[str] = "1.108.7"
    docs: ClassVar[str] = "https://docs.litellm.ai/docs/proxy/load_balancing"
    license: ClassVar[str] = "MIT"
    size_mb: ClassVar[int] = 760
    install: ClassVar[Install] = Pip(("litellm[proxy]==1.108.7",), ((3, 10), (3, 15)))
    program: ClassVar[str] = "bin/litellm"
    presets: ClassVar[Mapping[str, str]] = _PRESETS
    apis: ClassVar[frozenset[str]] = frozenset({"openai", "anthropic"})
    ready: ClassVar[str] = "/health/liveliness"
    ready_within_s: ClassVar[float] = 60.0

    def files(self, site: Site) -> Mapping[str, str]:
        """See `Adapter.files`."""
        return {"litellm.yaml": _config(site), "home/": ""}

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        """See `Adapter.command`."""
        return [
            str(installed.python),
            str(installed.program),
            *("--config", site.file("litellm.yaml")),
            *("--host", LOOPBACK, "--port", str(site.port)),
            *("--num_workers", "1", "--telemetry", "False"),
        ]

    def environment(self, site: Site) -> Mapping[str, str]:
        """See `Adapter.environment`."""
        return {
            "LITELLM_MASTER_KEY": _KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "GRACEFUL_SHUTDOWN_TIMEOUT": "0",
            "HF_HUB_OFFLINE": "1",
            "HOME": site.file("home"),
        }

    def headers(self, site: Site) -> Mapping[str, str]:
        """See `Adapter.headers`."""
        return {"Authorization": f"Bearer {_KEY}"}

    def version_command(self, installed: Installation) -> Sequence[str]:
        """See `Adapter.version_command`. From the package's metadata: the program itself takes seconds to start."""
        return [str(installed.python), "-c", "from importlib.metadata import version; print(version('litellm'))"]


def _config(site: Site) -> str:
    model = json.dumps(site.model)
    provided = json.dumps(f"hosted_vllm/{site.model}")
    deployments = "".join(
        f"""\
  - model_name: {model}
    litellm_params:
      model: {provided}
      api_base: {upstream.url}/v1
      api_key: none
    model_info:
      id: {upstream.name}
"""
        for upstream in site.upstreams
    )
    return f"""\
# LiteLLM, preset "{site.preset}": {_PRESETS[site.preset]}
model_list:
{deployments}\
{_ROUTER[site.preset]}\
"""
