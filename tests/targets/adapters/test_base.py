"""Addresses of upstreams, whole lines of a growing log, variables of an installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from targets.adapters.base import Adapter, Installation, Upstream, whole_environment, whole_lines
from targets.adapters.catalogue import ADAPTERS
from tests.support.fake_gateway import FakeGateway, site


def test_an_upstream_has_the_host_and_port_of_its_url() -> None:
    upstream = Upstream("tpu-0", "http://127.0.0.1:18101", "tpu")
    assert (upstream.host, upstream.port, upstream.address) == ("127.0.0.1", 18101, "127.0.0.1:18101")


def test_an_upstream_without_a_port_is_refused() -> None:
    with pytest.raises(ValueError, match="has no port"):
        _ = Upstream("tpu-0", "http://127.0.0.1", "tpu").address


@pytest.mark.parametrize(
    ("data", "lines", "rest"),
    [("", "", ""), ("a", "", "a"), ("a\n", "a\n", ""), ("a\nb\nc", "a\nb\n", "c")],
)
def test_the_beginning_of_a_line_is_kept_for_the_next_read(data: str, lines: str, rest: str) -> None:
    assert whole_lines(data) == (lines, rest)


def test_variables_that_would_change_a_gateway_are_not_inherited(tmp_path: Path) -> None:
    adapter = ADAPTERS["litellm"]
    installation = Installation(tmp_path / "bin" / "litellm", "1", libraries=("/libraries",))
    inherited = {"PATH": "/bin", "DATABASE_URL": "postgresql://prod", "HF_HUB_OFFLINE": "0", "LC_ALL": "C"}
    inherited |= {"DATABASE_HOST": "prod", "OPENAI_API_KEY": "sk-1"}
    made = whole_environment(adapter, site(tmp_path, "default"), installation, inherited)
    assert not {"DATABASE_URL", "DATABASE_HOST", "OPENAI_API_KEY"} & made.keys()
    assert made["LC_ALL"] == "C"
    assert (made["PATH"], made["HF_HUB_OFFLINE"], made["LD_LIBRARY_PATH"]) == ("/bin", "1", "/libraries")


def test_an_installation_with_libraries_says_where_they_are() -> None:
    program = Path("/cache/usr/sbin/haproxy")
    assert Installation(program, "2.6.12").environment() == {}
    libraries = Installation(program, "2.6.12", libraries=("/cache/a", "/cache/b")).environment()
    assert libraries == {"LD_LIBRARY_PATH": "/cache/a:/cache/b"}


def test_an_adapter_writes_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    adapter: Adapter = FakeGateway()
    where = site(tmp_path, "default")
    assert (adapter.environment(where), adapter.headers(where), adapter.statistics) == ({}, {}, None)
    assert adapter.ready == "/brownout-ready"
    program = Installation(Path("/opt/fakegate"), "1.0")
    assert adapter.version_command(program) == ["/opt/fakegate", "--version"]
    assert Adapter.version_in(adapter, "fakegate 2.6.12-1+deb12 (2023)") == "2.6.12"
    assert Adapter.version_in(adapter, "usage: fakegate") is None
