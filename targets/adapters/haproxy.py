"""HAProxy: a general load balancer. Active health checks, retries from its buffer, a statistics page as CSV.

Facts, seen with 2.6 in front of our replicas:

- Without `option http-no-delay`, the first chunk of a stream arrives 200 ms late. `default` has not got it.
- Without health checks and redispatch, a call for a dead replica is tried there four times in 3 s, then is a 503.
- A call is sent again after a response (`retry-on 503`) only if the whole of it fits into a buffer, 16 kB unless
  `tune.bufsize` says more. It cannot be sent again after 429 (2.6). With the 1 MiB of `tuned`, 220 streams at once
  took 370 MB of memory.
- A prompt whose first token takes longer than 6 s is tried elsewhere by `tuned`, and again: 24 s until the 504.
- SIGTERM ends it at once. `-db` keeps it in the foreground, as one process.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from targets.adapters.base import (
    LOOPBACK,
    Adapter,
    AdminPage,
    Debian,
    Install,
    Installation,
    Site,
    Statistics,
    UpstreamState,
)

__all__ = ["HAProxy", "parse_stats"]

_BACKEND: Final = "replicas"

_PRESETS: Final = {
    "default": "the simple configuration of HAProxy's manual: round robin, no health checks",
    "tuned": "checks every second, retries on other replicas, also after 5xx; reads at most 6 s apart",
}

_DEFAULTS: Final = {
    "default": """\
  timeout connect 5s
  timeout client 50s
  timeout server 50s
""",
    "tuned": """\
  timeout connect 1s
  timeout client 60s
  timeout server 6s
  option http-no-delay
  option abortonclose
""",
}

_BACKEND_OPTIONS: Final = {
    "default": "",
    "tuned": """\
  option httpchk GET /health/ready
  option redispatch 1
  retries 3
  retry-on conn-failure empty-response response-timeout 500 502 503 504
  default-server check inter 1s fall 2 rise 1 observe layer7 error-limit 3 on-error mark-down
""",
}

_BUFFER: Final = {
    "default": "",
    "tuned": "  tune.bufsize 1048576  # a call is sent again only if the whole of it fits into a buffer\n",
}


def parse_stats(site: Site, text: str) -> Mapping[str, UpstreamState]:
    """The servers of HAProxy's statistics page. Raises ValueError if the text is no such page."""
    if not text.startswith("# pxname,"):
        raise ValueError("this is not HAProxy's statistics as CSV")
    names = {upstream.name for upstream in site.upstreams}
    found = {}
    try:
        for row in csv.DictReader(text.removeprefix("# ").splitlines()):
            if row["pxname"] == _BACKEND and (name := row["svname"]) in names:
                found[name] = _state(row, redispatches=site.preset == "tuned")
    except (csv.Error, KeyError) as error:  # csv.Error is no ValueError
        raise ValueError(f"a line of HAProxy's statistics cannot be read: {error!r}") from None
    return found


def _state(row: Mapping[str, str], *, redispatches: bool) -> UpstreamState:
    """A server: `stot` counts every attempt. Refused are the attempts without a TCP connection.

    An attempt without a connection ends in `econ` (it was the call's last), in `wretr` (tried there again) or, where
    every retry is a redispatch, in `wredis`. A call that is sent again because of its response counts in both `wretr`
    and `wredis` then.
    """
    try:
        attempts, errors = int(row["stot"]), int(row["econ"])
        retries, redispatched = int(row["wretr"]), int(row["wredis"])
        status = row["status"]
    except (KeyError, TypeError, ValueError):
        raise ValueError("a server in HAProxy's statistics lacks a number") from None
    refused = errors + (redispatched - retries if redispatches else retries + redispatched)
    return UpstreamState(attempts, max(0, refused), status.startswith(("UP", "no check")))


class HAProxy(Adapter):
    """The adapter of HAProxy."""

    name: ClassVar[str] = "haproxy"
    title: ClassVar[str] = "HAProxy, a general load balancer"
    version: ClassVar[str] = "2.6.12"
    docs: ClassVar[str] = "https://docs.haproxy.org/2.6/configuration.html"
    license: ClassVar[str] = "GPL-2.0-or-later"
    size_mb: ClassVar[int] = 6
    install: ClassVar[Install] = Debian(("haproxy",))
    program: ClassVar[str] = "usr/sbin/haproxy"
    presets: ClassVar[Mapping[str, str]] = _PRESETS
    apis: ClassVar[frozenset[str]] = frozenset({"openai", "anthropic"})
    ready_within_s: ClassVar[float] = 5.0
    statistics: ClassVar[Statistics | None] = AdminPage("/stats;csv", parse_stats)

    def files(self, site: Site) -> Mapping[str, str]:
        """See `Adapter.files`."""
        return {"haproxy.cfg": _config(site)}

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        """See `Adapter.command`."""
        return [str(installed.program), "-db", "-f", site.file("haproxy.cfg")]

    def version_command(self, installed: Installation) -> Sequence[str]:
        """See `Adapter.version_command`."""
        return [str(installed.program), "-v"]

    def version_in(self, output: str) -> str | None:
        """See `Adapter.version_in`."""
        found = re.search(r"HA-?Proxy version (\d+(?:\.\d+)*)", output)
        return found[1] if found else None


def _config(site: Site) -> str:
    servers = "".join(f"  server {up.name} {up.address}\n" for up in site.upstreams)
    return f"""\
# HAProxy, preset "{site.preset}": {_PRESETS[site.preset]}
global
  maxconn 4096
  no strict-limits  # brownout: start also where the limit of open files is low
  log stdout format raw local0 notice
{_BUFFER[site.preset]}\

defaults
  mode http
  log global
{_DEFAULTS[site.preset]}\

frontend api
  bind {LOOPBACK}:{site.port}
  monitor-uri {HAProxy.ready}
  default_backend {_BACKEND}

backend {_BACKEND}
  balance roundrobin
{_BACKEND_OPTIONS[site.preset]}\
{servers}\

frontend statistics
  bind {LOOPBACK}:{site.admin_port}
  stats enable
  stats uri /stats
"""
