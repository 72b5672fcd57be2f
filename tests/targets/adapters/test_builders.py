"""pip, apt-get and npm are called as they should be. The tools are fakes; no network is used."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from reports.shared.errors import UserError
from targets.adapters.base import Debian, Npm, Pip
from targets.adapters.builders import build_from_debian, build_from_npm, build_from_pip
from targets.adapters.tool import ToolFailed
from tests.support.fake_gateway import debian_tools, fake_tool, only_these_tools

ANY_PYTHON = ((3, 9), (4, 0))
DEBIAN = Debian(("fakegate-light",))

FAKE_PYTHON = """\
[ "$1" = -P ] && shift
case "$3" in
venv) mkdir -p "$4/bin"; cat "$0" > "$4/bin/python"; chmod +x "$4/bin/python";;
pip) echo "$@" > "${0%/*}/arguments"; echo "#!$0" > "${0%/*}/fakegate"; chmod +x "${0%/*}/fakegate";;
esac"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    only_these_tools(monkeypatch, tmp_path / "tools")
    return tmp_path / "tools"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    return folder


def quiet(text: str) -> None:
    assert text


def test_pip_installs_what_is_pinned_with_the_new_environments_python(
    tools: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(fake_tool(tools, "python", FAKE_PYTHON)))
    build_from_pip(Pip(("fakegate[proxy]==1.0",), ANY_PYTHON), build, tmp_path / "final", quiet)
    words = (build / "bin" / "arguments").read_text().split()
    assert words[:4] == ["-I", "-m", "pip", "install"]
    assert words[-1] == "fakegate[proxy]==1.0"
    assert not [word for word in words if "index" in word]


def test_scripts_start_the_interpreter_at_the_final_place(
    tools: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(fake_tool(tools, "python", FAKE_PYTHON)))
    build_from_pip(Pip(("fakegate==1.0",), ANY_PYTHON), build, tmp_path / "final", quiet)
    assert (build / "bin" / "fakegate").read_text() == f"#!{tmp_path}/final/bin/python\n"


def test_a_python_that_a_package_does_not_support_is_refused(build: Path) -> None:
    with pytest.raises(UserError, match=r"needs Python 3\.6 or later, before 3\.8; this is 3\."):
        build_from_pip(Pip(("old==1.0",), ((3, 6), (3, 8))), build, build, quiet)


def test_packages_are_downloaded_and_unpacked_but_not_installed(tools: Path, build: Path) -> None:
    debian_tools(tools)
    libraries = build_from_debian(DEBIAN, build, quiet)
    assert os.access(build / "usr" / "sbin" / "fakegate", os.X_OK)
    assert [Path(folder).relative_to(build) for folder in libraries] == [Path(f"usr/lib/{sys.platform}-linux-gnu")]
    calls = (tools / "calls").read_text()
    assert "--download-only --no-install-recommends fakegate-light" in calls
    assert "apt-get update" not in calls
    assert not (build / "archives").exists()


def test_missing_lists_of_packages_are_fetched_by_root_only(
    tools: Path, build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian_tools(tools, candidate="(none)")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match="lists of packages are missing") as refused:
        build_from_debian(DEBIAN, build, quiet)
    assert "as an administrator: apt-get update && apt-get install --no-install-recommends fakegate-light" in str(
        refused.value
    )
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (build / "archives" / "partial").rmdir()
    (build / "archives").rmdir()
    with pytest.raises(UserError, match="apt knows no package fakegate-light"):
        build_from_debian(DEBIAN, build, quiet)
    assert "apt-get update" in (tools / "calls").read_text()


@pytest.mark.parametrize(("user", "error"), [(0, ToolFailed), (1000, UserError)])
def test_a_failed_download_shows_the_last_lines(
    tools: Path, build: Path, monkeypatch: pytest.MonkeyPatch, user: int, error: type[Exception]
) -> None:
    debian_tools(tools, download="echo E: Failed to fetch; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(error, match="E: Failed to fetch") as failed:
        build_from_debian(DEBIAN, build, quiet)
    assert ("as an administrator" in str(failed.value)) == (user != 0)


def test_a_machine_without_apt_says_what_to_do(tools: Path, build: Path) -> None:
    with pytest.raises(UserError, match=r"there is no apt-get on this machine.*\n.*package manager"):
        build_from_debian(DEBIAN, build, quiet)


def test_npm_gets_the_overrides_of_nested_packages(tools: Path, build: Path) -> None:
    fake_tool(tools, "npm", 'echo "$@" > arguments; mkdir -p node_modules/@x/gate')
    build_from_npm(Npm("@x/gate", "1.15.2", {"@hono/node-server": "1.13.8"}), build, quiet)
    described = json.loads((build / "package.json").read_text())
    assert described["dependencies"] == {"@x/gate": "1.15.2"}
    assert described["overrides"] == {"@hono/node-server": "1.13.8"}
    assert "--ignore-scripts" in (build / "arguments").read_text()


def test_a_machine_without_npm_says_what_to_do(tools: Path, build: Path) -> None:
    with pytest.raises(UserError, match="needs npm, which is not on the PATH"):
        build_from_npm(Npm("gate", "1"), build, quiet)
