"""nginx: its configuration, attempts in its access log, and a real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from targets.adapters.base import LogFile, UpstreamState
from targets.adapters.nginx import Nginx, parse_access_log
from tests.support.fake_gateway import site
from tests.support.real_gateway import attempts_in_statistics_are_true, real_gateway, streams_arrive_token_by_token

NGINX = Nginx()


def line(upstream: str, connect_s: str, status: str = "200", received: str = "100") -> str:
    fields = {"time": "1.5", "upstream": upstream, "status": status, "connect_s": connect_s, "received": received}
    return "\t".join(f"{name}={value}" for name, value in fields.items()) + "\n"


def counts(folder: Path, text: str) -> dict[str, tuple[int | None, int | None]]:
    states = parse_access_log(site(folder, "tuned"), text)
    return {name: (state.attempts, state.refused) for name, state in states.items()}


@pytest.mark.parametrize(
    ("text", "tpu", "gpu"),
    [
        ("", (0, 0), (0, 0)),
        (line("127.0.0.1:18101", "0.001"), (1, 0), (0, 0)),
        (line("127.0.0.1:18101, 127.0.0.1:18102", "-, 0.000", "502, 200", "0, 100"), (1, 1), (1, 0)),
        (line("127.0.0.1:18101, 127.0.0.1:18102", "0.000, 0.000", "503, 200"), (1, 0), (1, 0)),
        (line("127.0.0.1:18101 : 127.0.0.1:18102", "- : 0.000"), (1, 1), (1, 0)),
        (line("replicas", "-", "502", "0"), (0, 0), (0, 0)),  # no upstream was left
        (line("-", "-", "-"), (0, 0), (0, 0)),  # answered by nginx itself
        (line("127.0.0.1:18101", "0.001") * 3 + line("127.0.0.1:9", "-"), (3, 0), (0, 0)),
    ],
)
def test_each_attempt_of_a_call_is_counted(
    tmp_path: Path, text: str, tpu: tuple[int, int], gpu: tuple[int, int]
) -> None:
    assert counts(tmp_path, text) == {"tpu-0": tpu, "gpu-0": gpu}


def test_whether_a_replica_is_available_is_unknown(tmp_path: Path) -> None:
    states = parse_access_log(site(tmp_path, "default"), "")
    assert states["tpu-0"] == UpstreamState(0, 0, None)


def test_default_is_the_documented_configuration_without_buffering(tmp_path: Path) -> None:
    text = NGINX.files(site(tmp_path, "default"))["nginx.conf"]
    assert "proxy_buffering off" in text
    assert "server 127.0.0.1:18101;  # tpu-0" in text
    assert "proxy_next_upstream" not in text
    assert "proxy_http_version" not in text


def test_tuned_tries_again_elsewhere(tmp_path: Path) -> None:
    text = NGINX.files(site(tmp_path, "tuned"))["nginx.conf"]
    assert "server 127.0.0.1:18101 max_fails=2 fail_timeout=5s;  # tpu-0" in text
    assert "error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;" in text


def test_workers_of_root_stay_root(tmp_path: Path) -> None:
    assert "user root;" in NGINX.files(site(tmp_path, "default", as_root=True))["nginx.conf"]
    assert "user root;" not in NGINX.files(site(tmp_path, "default"))["nginx.conf"]


def test_the_statistics_are_the_log_that_the_configuration_names(tmp_path: Path) -> None:
    assert isinstance(NGINX.statistics, LogFile)
    assert f"access_log {NGINX.statistics.name} upstreams;" in NGINX.files(site(tmp_path, "default"))["nginx.conf"]


@pytest.mark.parametrize(
    ("output", "version"),
    [("nginx version: nginx/1.22.1", "1.22.1"), ("nginx/1.27.0 (x)", "1.27.0"), ("no", None)],
)
def test_the_version_is_read(output: str, version: str | None) -> None:
    assert NGINX.version_in(output) == version


@pytest.mark.parametrize("preset", NGINX.presets)
async def test_a_real_one_streams_and_counts_its_attempts(preset: str, tmp_path: Path) -> None:
    async with real_gateway(f"nginx:{preset}", tmp_path) as gateway:
        await attempts_in_statistics_are_true(gateway)
        await streams_arrive_token_by_token(gateway)
