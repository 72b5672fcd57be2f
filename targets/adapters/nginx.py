"""nginx: a general reverse proxy. Passive health checks, retries on other upstreams, no statistics page.

Facts, seen with 1.22 in front of our replicas:

- A replica that is down is skipped, because a connection that fails is retried elsewhere. A call that it has received
  is a POST and is not sent again, unless `non_idempotent` says so.
- `default` speaks HTTP/1.0 to replicas, as nginx does before 1.29.7. The end of the connection is then the end of the
  answer: a stream that is cut because its replica died arrives as complete, without an error. `tuned` has HTTP/1.1.
- A prompt whose first token takes longer than 6 s is tried elsewhere by `tuned`, and again.
- Upstream attempts are read from the access log. nginx writes the line when a call has ended.
- SIGTERM ends it at once, its worker too. A SIGKILL of the main process alone leaves the worker; the shepherd kills it.
- A worker of nginx that was started as root runs as another user. It could not write into the run's folder then, so it
  keeps root's rights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from targets.adapters.base import (
    LOOPBACK,
    MAX_BODY_MB,
    Adapter,
    Debian,
    Install,
    Installation,
    LogFile,
    Site,
    Statistics,
    UpstreamState,
)

__all__ = ["Nginx", "parse_access_log"]

_LOG: Final = "upstreams.log"
_UPSTREAM_GROUP: Final = "replicas"

_PRESETS: Final = {
    "default": "round robin, as in nginx's guide to load balancing",
    "tuned": "retries on other replicas, also after 429 and 5xx; two failures in 5 s take a replica out for 5 s",
    "vllm-docs": "as in vLLM's page on nginx: least connections; three failures take a replica out for 10,000 s",
}

_SERVER_OPTIONS: Final = {
    "default": "",
    "tuned": " max_fails=2 fail_timeout=5s",
    "vllm-docs": " max_fails=3 fail_timeout=10000s",
}

_LOCATION: Final = {
    "default": "",
    "tuned": """\
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_connect_timeout 1s;
      proxy_read_timeout 6s;
      proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;
      proxy_next_upstream_tries 3;
""",
    "vllm-docs": """\
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
""",
}


def parse_access_log(site: Site, text: str) -> Mapping[str, UpstreamState]:
    """The attempts in new lines of the log. Refused: attempts for which there was no TCP connection.

    A line lists the attempts of a call, in order: `127.0.0.1:18101, 127.0.0.1:18102`. A call for which no upstream was
    left has the name of the upstream group there, and is no attempt.
    """
    names = {upstream.address: upstream.name for upstream in site.upstreams}
    attempts = dict.fromkeys(names.values(), 0)
    refused = dict.fromkeys(names.values(), 0)
    for line in text.splitlines():
        fields = dict(part.partition("=")[::2] for part in line.split("\t"))
        addresses, connects = _listed(fields.get("upstream", "")), _listed(fields.get("connect_s", ""))
        if len(addresses) != len(connects):
            continue
        for address, connect in zip(addresses, connects, strict=True):
            if (name := names.get(address)) is not None:
                attempts[name] += 1
                refused[name] += connect == "-"
    return {name: UpstreamState(attempts[name], refused[name], None) for name in names.values()}


def _listed(value: str) -> list[str]:
    """The entries of a variable of nginx: commas separate attempts, a colon separates internal redirects."""
    return re.split(r", | : ", value) if value else []


class Nginx(Adapter):
    """The adapter of nginx."""

    name: ClassVar[str] = "nginx"
    title: ClassVar[str] = "nginx, a general reverse proxy"
    version: ClassVar[str] = "1.22.1"
    docs: ClassVar[str] = "https://nginx.org/en/docs/http/load_balancing.html"
    license: ClassVar[str] = "BSD-2-Clause"
    size_mb: ClassVar[int] = 2
    install: ClassVar[Install] = Debian(("nginx-light",))
    program: ClassVar[str] = "usr/sbin/nginx"
    presets: ClassVar[Mapping[str, str]] = _PRESETS
    apis: ClassVar[frozenset[str]] = frozenset({"openai", "anthropic"})
    ready_within_s: ClassVar[float] = 5.0
    statistics: ClassVar[Statistics | None] = LogFile(_LOG, parse_access_log)

    def files(self, site: Site) -> Mapping[str, str]:
        """See `Adapter.files`."""
        return {"nginx.conf": _config(site), "temp/": ""}

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        """See `Adapter.command`."""
        return [str(installed.program), "-p", str(site.folder), "-e", "stderr", "-c", "nginx.conf"]

    def version_command(self, installed: Installation) -> Sequence[str]:
        """See `Adapter.version_command`."""
        return [str(installed.program), "-v"]

    def version_in(self, output: str) -> str | None:
        """See `Adapter.version_in`."""
        found = re.search(r"nginx/(\d[\w.]*)", output)
        return found[1] if found else None


def _config(site: Site) -> str:
    options = _SERVER_OPTIONS[site.preset]
    servers = "".join(f"    server {up.address}{options};  # {up.name}\n" for up in site.upstreams)
    balancing = "    least_conn;\n" if site.preset == "vllm-docs" else ""
    temp = "".join(
        f"  {kind}_temp_path temp/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
# nginx, preset "{site.preset}": {_PRESETS[site.preset]}
# Relative paths start at the folder of this file. brownout adds the lines that are marked so.
{"user root;  # brownout: a worker of another user could not write into this folder" if site.as_root else ""}
daemon off;
pid nginx.pid;
worker_processes 1;  # brownout: the state of upstreams is then one for all calls
error_log stderr warn;

events {{
  worker_connections 4096;
}}

http {{
{temp}\
  client_max_body_size {MAX_BODY_MB}m;  # brownout: nginx's own limit, 1 MB, refuses long conversations
  client_body_buffer_size 1m;
  log_format upstreams "time=$msec\\tupstream=$upstream_addr\\tstatus=$upstream_status"
                       "\\tconnect_s=$upstream_connect_time\\treceived=$upstream_bytes_received\\tanswered=$status";
  access_log {_LOG} upstreams;  # brownout: the statistics

  upstream {_UPSTREAM_GROUP} {{
{balancing}{servers}\
  }}

  server {{
    listen {LOOPBACK}:{site.port};
    location = {Nginx.ready} {{
      access_log off;
      return 200;
    }}
    location / {{
      proxy_pass http://{_UPSTREAM_GROUP};
      proxy_buffering off;  # brownout: with buffering, tokens arrive in bundles
{_LOCATION[site.preset]}\
    }}
  }}
}}
"""
