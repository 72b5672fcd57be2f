"""An installation is there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from reports.shared.errors import TargetFailed, UserError
from targets.adapters import install as module
from targets.adapters.base import Installation
from targets.adapters.cache import folder_of, installed, targets_folder
from targets.adapters.install import install
from tests.support.fake_gateway import FakeGateway, debian_tools, fake_tool, only_these_tools

ADAPTER = FakeGateway()


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    only_these_tools(monkeypatch, tmp_path / "tools")
    debian_tools(tmp_path / "tools")
    return tmp_path / "tools"


def left() -> list[str]:
    """What is in the folder of all installations, apart from locks."""
    folder = targets_folder()
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def test_an_installed_gateway_is_found_and_not_installed_again(tools: Path) -> None:
    steps: list[str] = []
    made = install(ADAPTER, steps.append)
    assert steps == ["downloading fakegate-light with apt-get", "unpacking"]
    assert made == installed(ADAPTER)
    assert made.program == folder_of(ADAPTER) / "usr" / "sbin" / "fakegate"
    assert made.libraries[0].startswith(str(folder_of(ADAPTER)))
    (tools / "calls").unlink()
    assert install(ADAPTER) == made
    assert not (tools / "calls").exists()
    assert left() == ["fakegate-1.0"]


def test_a_failed_install_leaves_nothing(tools: Path) -> None:
    fake_tool(tools, "dpkg", "echo not a package; exit 2")
    with pytest.raises(TargetFailed, match="not a package"):
        install(ADAPTER)
    assert left() == []


def test_an_interrupted_install_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> tuple[str, ...]:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "build_from_debian", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install(ADAPTER)
    assert left() == []
    assert installed(ADAPTER) is None


def test_what_a_killed_install_has_left_is_removed_by_the_next() -> None:
    (targets_folder() / ".fakegate-1.0.abc" / "usr").mkdir(parents=True)
    (folder_of(ADAPTER) / "usr").mkdir(parents=True)
    assert installed(ADAPTER) is None
    assert install(ADAPTER) == installed(ADAPTER)
    assert left() == ["fakegate-1.0"]


def test_of_two_at_once_one_installs_and_the_other_waits(tools: Path) -> None:
    begun, go_on = tools / "begun", tools / "go-on"
    debian_tools(tools, download=f"touch {begun}; while [ ! -e {go_on} ]; do sleep 0.01; done")
    made: list[Installation] = []
    steps: list[str] = []

    def waits(text: str) -> None:
        steps.append(text)
        go_on.touch()

    def first(text: str) -> None:
        assert text

    threads = [Thread(target=lambda: made.append(install(ADAPTER, first)))]
    threads[0].start()
    while not begun.exists():
        assert threads[0].is_alive()
    threads.append(Thread(target=lambda: made.append(install(ADAPTER, waits))))
    threads[1].start()
    for thread in threads:
        thread.join(timeout=20)
    assert steps == ["another process installs fakegate: waiting for it"]
    assert made == [installed(ADAPTER)] * 2
    assert (tools / "calls").read_text().count("--download-only") == 1


def test_a_program_that_states_no_version_is_not_installed(tools: Path) -> None:
    silent = 'to="$3/usr/sbin"; mkdir -p "$to"; echo "#!/bin/sh" > "$to/fakegate"; chmod +x "$to/fakegate"'
    fake_tool(tools, "dpkg", silent)
    with pytest.raises(TargetFailed, match=r"installed was version unknown, not 1\.0"):
        install(ADAPTER)
    assert left() == []


def test_packages_without_the_program_are_not_installed(tools: Path) -> None:
    fake_tool(tools, "dpkg", "exit 0")
    with pytest.raises(TargetFailed, match="what was installed has no usr/sbin/fakegate"):
        install(ADAPTER)


def test_debians_own_version_is_taken_whatever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKEGATE", "1.3")
    assert install(ADAPTER).version == "1.3"


def test_a_cache_folder_that_cannot_be_written_is_a_users_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match="cannot be written: Not a directory\n    set XDG_CACHE_HOME"):
        install(ADAPTER)
