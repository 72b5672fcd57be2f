"""Which folders are searched: a user's packages of our names never hide ours, and other folders stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from brownout import search_path
from brownout.search_path import PACKAGES, ROOT, USERS, own_entries, own_environment, users_environment
from tests.support.paths import ROOT as CHECKOUT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with a package `reports`."""
    folder = tmp_path / "project"
    (folder / "reports").mkdir(parents=True)
    (folder / "reports" / "__init__.py").write_text("raise RuntimeError")
    return folder


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder with nothing of our names but one without `__init__.py`."""
    (tmp_path / "other" / "targets").mkdir(parents=True)
    return tmp_path / "other"


def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Our packages are in the interpreter's folder."""
    place = str(tmp_path / "lib" / "site-packages")
    monkeypatch.setattr(search_path, "ROOT", place)
    return place


def test_our_packages_are_those_of_the_checkout() -> None:
    assert str(CHECKOUT) == ROOT
    in_wheel = {path.name for path in CHECKOUT.iterdir() if (path / "__init__.py").exists()} - {"tests", "bench"}
    assert set(PACKAGES) == in_wheel


def test_a_folder_with_a_package_of_our_names_is_left_out(project: Path, other: Path) -> None:
    assert own_entries([str(project), str(other), ROOT]) == [str(other), ROOT]


@pytest.mark.parametrize("name", ["chaos.py", "targets/__init__.py", "brownout/__init__.py", "loadprofiles.py"])
def test_packages_and_modules_of_each_name_are_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert own_entries([str(tmp_path), ROOT]) == [ROOT]


def test_a_folder_after_our_own_stays(project: Path) -> None:
    assert own_entries([ROOT, str(project)]) == [ROOT, str(project)]


def test_the_current_folder_is_found_by_each_of_its_names(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.chdir(project)
    assert own_entries(["", ".", ROOT]) == [ROOT]
    monkeypatch.chdir(ROOT)
    assert own_entries([""]) == [""]


def test_a_checkout_that_is_not_searched_is_added(project: Path, other: Path) -> None:
    """As with an editable install, where a folder `targets` without `__init__.py` would be found before ours."""
    assert own_entries([str(project), str(other)]) == [str(other), ROOT]


def test_the_folders_of_the_interpreter_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path) -> None:
    site = installed(monkeypatch, tmp_path)
    project.rename(tmp_path / "dist-packages")
    assert own_entries([str(tmp_path / "dist-packages"), "/usr/lib/python3"]) == [
        str(tmp_path / "dist-packages"),
        "/usr/lib/python3",
    ]
    assert own_environment({"PYTHONPATH": site}) == {"PYTHONPATH": site}


def test_python_path_is_changed_only_where_it_hides_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path, other: Path
) -> None:
    installed(monkeypatch, tmp_path)
    assert own_environment({"A": "b"}) == {"A": "b"}
    assert own_environment({"PYTHONPATH": str(other)}) == {"PYTHONPATH": str(other)}
    both = f"{project}{os.pathsep}{other}"
    assert own_environment({"PYTHONPATH": both}) == {"PYTHONPATH": str(other), USERS: both}


def test_a_users_command_gets_the_python_path_of_the_user(project: Path) -> None:
    for before in ({"PYTHONPATH": str(project), "A": "b"}, {"A": "b"}):
        changed = own_environment(before)
        assert changed["PYTHONPATH"] == ROOT
        assert own_environment(changed) == changed
        assert users_environment(changed) == before


def test_an_environment_that_was_not_changed_stays() -> None:
    assert users_environment({"PYTHONPATH": "x"}) == {"PYTHONPATH": "x"}
