"""Which installations count, and the programs of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.shared.errors import UserError
from targets.adapters.base import Installation, Pip
from targets.adapters.cache import (
    MANIFEST,
    folder_of,
    installed,
    planned,
    read_installation,
    targets_folder,
    version_note,
    write_manifest,
)
from targets.adapters.catalogue import ADAPTERS
from tests.support.fake_gateway import PROGRAM, FakeGateway, fake_tool, only_these_tools


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    only_these_tools(monkeypatch, tmp_path / "tools")
    return tmp_path / "cache"


def complete() -> Installation:
    folder = folder_of(FakeGateway())
    program = fake_tool(folder / "usr" / "sbin", "fakegate", PROGRAM.removeprefix("#!/bin/sh\n"))
    made = Installation(program, "1.0", folder, (str(folder / "usr" / "lib"),))
    write_manifest(made)
    return made


def test_the_folder_is_below_the_cache_folder_of_the_user(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_of(FakeGateway()) == cache / "brownout" / "targets" / "fakegate-1.0"
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert targets_folder() == Path("/home/somebody/.cache/brownout/targets")


def test_a_user_without_a_home_folder_learns_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", classmethod(unknown))
    with pytest.raises(UserError, match="set XDG_CACHE_HOME or HOME"):
        targets_folder()


def test_an_installation_is_read_as_it_was_written() -> None:
    assert installed(FakeGateway()) is None
    assert complete() == installed(FakeGateway())


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"program": 1}', json.dumps({"version": "1.0"})])
def test_a_folder_with_a_damaged_manifest_is_no_installation(content: str) -> None:
    folder = complete().folder
    assert folder is not None
    (folder / MANIFEST).write_text(content)
    assert read_installation(folder) is None


def test_a_folder_without_its_program_is_no_installation() -> None:
    made = complete()
    made.program.unlink()
    assert installed(FakeGateway()) is None


def test_an_environment_whose_interpreter_is_gone_is_no_installation() -> None:
    folder = complete().folder
    assert folder is not None
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(folder / "gone")
    assert installed(FakeGateway()) is None


def test_a_package_of_debian_may_be_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKEGATE", "2.5")
    program = fake_tool(tmp_path / "tools", "fakegate", PROGRAM.removeprefix("#!/bin/sh\n"))
    found = installed(FakeGateway())
    assert found == Installation(program, "2.5")
    assert version_note(FakeGateway(), found) == (
        f"fakegate: {program} is version 2.5; brownout was tested with 1.0. What is known of it may not hold"
    )
    pip = FakeGateway.requires(Pip(("fakegate==1.0",), ((3, 9), (4, 0))), "bin/fakegate")
    assert installed(pip) is None


@pytest.mark.parametrize("script", ["exit 1", "echo I am something else"])
def test_a_program_of_the_machine_that_states_no_version_is_ignored(tmp_path: Path, script: str) -> None:
    fake_tool(tmp_path / "tools", "fakegate", script)
    assert installed(FakeGateway()) is None


def test_the_pinned_version_needs_no_note() -> None:
    assert version_note(FakeGateway(), complete()) == ""


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=list(ADAPTERS))
def test_a_planned_program_has_a_path_without_patterns(adapter: FakeGateway) -> None:
    assert "*" not in str(planned(adapter).program)
