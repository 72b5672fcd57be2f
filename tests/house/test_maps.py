"""Each package's docstring is its map: it names every module and package in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("brownout", "chaos", "loadprofiles", "targets", "reports", "bench")
INITS = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("__init__.py"))
DATA_SUFFIXES = (".yaml", ".jinja", ".css", ".js", ".json")


def members(package: Path) -> set[str]:
    """Modules, sub-packages and folders of data files."""
    found = set()
    for path in package.iterdir():
        if path.suffix == ".py" and not path.stem.startswith("__"):
            found.add(path.stem)
        elif path.is_dir() and any(child.suffix in (".py", *DATA_SUFFIXES) for child in path.iterdir()):
            found.add(path.name)
    return found


def named(docstring: str) -> set[str]:
    """The names at the beginning of the docstring's lines: `name  what it is`, or `a, b, c  what they are`."""
    found: set[str] = set()
    for line in docstring.splitlines()[1:]:
        head = re.match(r"\s*((?:\w+/?(?:, )?)+)(?:\s{2,}|$)", line)
        if head:
            found.update(name.strip(" /") for name in head[1].split(","))
    return found


@pytest.mark.parametrize("init", INITS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_package_names_each_of_its_members(init: Path) -> None:
    docstring = ast.get_docstring(ast.parse(init.read_text())) or ""
    assert docstring, "a package begins with a sentence that says what belongs in it"
    assert members(init.parent) - named(docstring) == set(), "each member needs a line in the docstring"


@pytest.mark.parametrize("init", INITS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_package_names_nothing_that_is_gone(init: Path) -> None:
    docstring = ast.get_docstring(ast.parse(init.read_text())) or ""
    rest = {path.name for path in init.parent.iterdir()} | {path.stem for path in init.parent.iterdir()}
    assert named(docstring) <= rest


def test_a_map_is_read_as_it_is_written() -> None:
    text = "What belongs here.\n\nalpha      one\nbeta, gamma   two\n    delta/   three\nnot a name but a sentence\n"
    assert named(text) == {"alpha", "beta", "gamma", "delta"}
