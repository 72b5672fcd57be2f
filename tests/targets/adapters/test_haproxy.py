"""HAProxy: its configuration, its statistics page, and a real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from targets.adapters.base import UpstreamState
from targets.adapters.haproxy import HAProxy, parse_stats
from tests.support.fake_gateway import site
from tests.support.real_gateway import attempts_in_statistics_are_true, real_gateway, streams_arrive_token_by_token

HAPROXY = HAProxy()


def page(*servers: str) -> str:
    rows = ["# pxname,svname,stot,econ,wretr,wredis,status,", *servers, "replicas,BACKEND,99,9,9,9,UP,"]
    return "\n".join(["# pxname,svname,stot,econ,wretr,wredis,status,", "api,FRONTEND,9,,,,OPEN,", *rows[1:]]) + "\n"


def test_without_redispatch_a_retry_is_a_refused_attempt(tmp_path: Path) -> None:
    """As seen: 30 calls were tried four times each at a dead replica, and 117 had been answered before."""
    states = parse_stats(site(tmp_path, "default"), page("replicas,tpu-0,237,30,90,0,no check,"))
    assert states == {"tpu-0": UpstreamState(237, 120, True)}


def test_with_redispatch_a_retry_after_an_answer_is_no_refused_attempt(tmp_path: Path) -> None:
    """As seen: 5 calls were sent elsewhere after a 503, and 15 because there was no connection."""
    states = parse_stats(site(tmp_path, "tuned"), page("replicas,tpu-0,21,0,5,20,DOWN,"))
    assert states == {"tpu-0": UpstreamState(21, 15, False)}


@pytest.mark.parametrize(
    ("status", "available"),
    [("UP", True), ("UP 1/2", True), ("no check", True), ("DOWN", False), ("DOWN 1/2", False), ("MAINT", False)],
)
def test_the_status_says_whether_a_replica_is_available(tmp_path: Path, status: str, available: bool) -> None:
    states = parse_stats(site(tmp_path, "tuned"), page(f"replicas,gpu-0,1,0,0,0,{status},"))
    assert states["gpu-0"].available is available


@pytest.mark.parametrize("row", ["replicas,tpu-0,x,0,0,0,UP,", "replicas,tpu-0"])
def test_a_page_with_a_damaged_row_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(ValueError, match="lacks a number"):
        parse_stats(site(tmp_path, "default"), page(row))


@pytest.mark.parametrize("row", [f"replicas,{'x' * 200_000},1,0,0,0,UP,", "replicas"])
def test_a_page_with_a_line_that_is_no_csv_is_refused(tmp_path: Path, row: str) -> None:
    text = page(row) if "," in row else "# pxname,\nreplicas,\n"
    with pytest.raises(ValueError, match="a line of HAProxy's statistics cannot be read"):
        parse_stats(site(tmp_path, "default"), text)


def test_default_has_no_health_checks_and_no_retries_elsewhere(tmp_path: Path) -> None:
    text = HAPROXY.files(site(tmp_path, "default"))["haproxy.cfg"]
    assert "  server tpu-0 127.0.0.1:18101\n" in text
    assert "check" not in text.partition("# HAProxy")[2].partition("\n")[2]
    assert "redispatch" not in text


def test_tuned_keeps_long_calls_to_send_them_again(tmp_path: Path) -> None:
    text = HAPROXY.files(site(tmp_path, "tuned"))["haproxy.cfg"]
    assert "tune.bufsize 1048576" in text
    assert "retry-on conn-failure empty-response response-timeout 500 502 503 504" in text
    assert "check inter 1s fall 2 rise 1 observe layer7 error-limit 3 on-error mark-down" in text


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", "2.6.12"),
        ("HA-Proxy version 2.2.9-2+deb11u6 2023/12/20", "2.2.9"),
        ("", None),
    ],
)
def test_the_version_is_read(output: str, version: str | None) -> None:
    assert HAPROXY.version_in(output) == version


async def test_a_real_one_streams_and_counts_its_attempts(tmp_path: Path) -> None:
    async with real_gateway("haproxy:tuned", tmp_path) as gateway:
        await attempts_in_statistics_are_true(gateway)
        await streams_arrive_token_by_token(gateway)


async def test_a_real_default_one_streams(tmp_path: Path) -> None:
    async with real_gateway("haproxy:default", tmp_path) as gateway:
        await streams_arrive_token_by_token(gateway)
        states = await gateway.states()
        assert sum(state.attempts or 0 for state in states.values()) == 2
        assert all(state.available for state in states.values())
