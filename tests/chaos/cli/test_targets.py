"""`brownout targets`: the list, installing, and the files and command of a gateway."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from chaos.cli import app
from chaos.cli.targets import install_target, print_config, print_targets, upstreams_of
from reports.shared.errors import UserError
from targets.adapters.catalogue import ADAPTERS
from targets.stack import load_stack
from tests.support.fake_gateway import FakeGateway, debian_tools, fake_tool, only_these_tools


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("targets.adapters.cache._SYSTEM_FOLDERS", ())
    only_these_tools(monkeypatch, tmp_path / "tools")
    return tmp_path / "tools"


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of a command line."""
    monkeypatch.setattr(sys, "argv", ["brownout", *words])
    try:
        return app.main()
    except SystemExit as ended:
        return int(ended.code or 0)


def config(choice: str, *, first_port: int = 18101, port: int = 4000) -> None:
    print_config(choice, stack="multi-cloud", first_port=first_port, port=port, folder=Path("gateway"))


def test_the_table_has_every_gateway(capsys: pytest.CaptureFixture[str]) -> None:
    print_targets(as_json=False)
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    for adapter in ADAPTERS.values():
        words = lines[adapter.name].split()
        assert words[1:3] == [adapter.version, "no"]
        assert adapter.docs in words


def test_the_list_as_json_has_what_programs_need(capsys: pytest.CaptureFixture[str]) -> None:
    print_targets(as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(ADAPTERS)
    assert rows["litellm"]["installed"] is False
    assert rows["litellm"]["installed_by"] == "pip"
    assert rows["nginx"]["presets"]["tuned"] == ADAPTERS["nginx"].presets["tuned"]


def test_a_gateway_of_the_machine_with_another_version_is_shown(
    tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = fake_tool(tools, "nginx", "echo nginx version: nginx/1.27.3")
    print_targets(as_json=False)
    assert f"1.27.3, {program}" in capsys.readouterr().out
    assert install_target("nginx") == 0
    printed = capsys.readouterr()
    assert f"nginx 1.27.3 was installed already: {program}" in printed.out
    assert "brownout was tested with 1.22.1" in printed.err


def test_installing_says_what_is_done_and_how_to_start_it(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ADAPTERS, "fakegate", FakeGateway())
    debian_tools(tools)
    assert run(monkeypatch, "targets", "install", "fakegate") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fakegate: downloading fakegate-light with apt-get"
    place = tmp_path / "cache/brownout/targets/fakegate-1.0/usr"
    assert lines[-2] == f"fakegate 1.0 is installed: {place}/sbin/fakegate"
    command = lines[-1].removeprefix("to start it by hand, add its options to: ")
    assert command == f"env LD_LIBRARY_PATH={place}/lib/{sys.platform}-linux-gnu {place}/sbin/fakegate"


def test_a_failed_install_exits_with_5_and_the_last_lines(
    tools: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ADAPTERS, "fakegate", FakeGateway())
    debian_tools(tools)
    fake_tool(tools, "dpkg", "echo no space left; exit 2")
    assert run(monkeypatch, "targets", "install", "fakegate") == 5
    assert "no space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["targets", "install", "ngnix"], 'did you mean "nginx"?'),
        (["targets", "config", "litellm:tund"], 'did you mean "tuned"?'),
        (["targets", "config", "nginx", "--stack", "multi-cluod"], 'did you mean "multi-cloud"?'),
        (["targets", "config", "nginx", "--first-port", "65531"], "use a lower port"),
        (["targets", "config", "nginx", "--port", "0"], "greater than or equal to 1"),
    ],
)
def test_a_wrong_word_exits_with_2_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run(monkeypatch, *words) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("choice", [f"{name}:{preset}" for name in ADAPTERS for preset in ADAPTERS[name].presets])
def test_a_configuration_is_shown_without_an_installation(choice: str, capsys: pytest.CaptureFixture[str]) -> None:
    config(choice)
    printed = capsys.readouterr()
    name = choice.partition(":")[0]
    assert f"brownout targets install {name}" in printed.err
    assert "tpu-0" in printed.out
    assert "18106" in printed.out
    command = printed.out.partition("# ---- command\n")[2].splitlines()[0]
    assert f"/cache/brownout/targets/{name}-{ADAPTERS[name].version}/" in command
    assert "gateway" in command


def test_the_header_that_clients_must_send_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    config("litellm")
    assert "Authorization: Bearer sk-" in capsys.readouterr().out
    config("nginx")
    assert "# ---- header" not in capsys.readouterr().out


@pytest.mark.parametrize("port", [18100, 18106])
def test_a_port_of_the_gateway_that_a_replica_has_is_refused(port: int) -> None:
    with pytest.raises(UserError, match="of the gateway and of a replica"):
        config("nginx", port=port)


def test_replicas_have_successive_ports_in_the_order_of_the_stack() -> None:
    stack = load_stack("multi-cloud")
    upstreams = upstreams_of(stack, 18101)
    assert [upstream.name for upstream in upstreams] == [replica.name for replica in stack.replicas]
    assert [upstream.port for upstream in upstreams] == list(range(18101, 18101 + len(upstreams)))
    assert {upstream.pool for upstream in upstreams} == {pool.name for pool in stack.pools}
