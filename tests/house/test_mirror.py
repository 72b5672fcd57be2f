"""The tests mirror the packages: the test of a/b/c.py is tests/a/b/test_c.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TESTS = ROOT / "tests"
MIRRORED = ("brownout", "chaos", "loadprofiles", "targets", "reports", "bench")
TEST_FILES = sorted(path for package in MIRRORED for path in (TESTS / package).rglob("test_*.py"))
EVERY_TEST_FILE = sorted(TESTS.rglob("test_*.py"))
MAX_NAME = 80

KINDS_IN_FILES = {
    "chaos/faults/process": (),
    "chaos/faults/replica": (),
    "chaos/faults/gateway": (),
    "chaos/faults/load": (),
    "loadprofiles/arrivals": (),
    "loadprofiles/retries": (),
    "loadprofiles/demand": (),
    "loadprofiles/replay": (),
    "reports/measures": (),
    "targets/adapters": ("base", "cache", "catalogue", "install", "builders", "tool"),
    "targets/gateway/behaviours": ("base",),
    "targets/gateway/policies/attempts": (),
    "targets/gateway/policies/balancing": (),
    "targets/gateway/policies/health": (),
    "targets/gateway/policies/overload": (),
    "targets/replica/behaviours": ("base", "request_context"),
}
"""Rooms that hold one kind a file, and the modules in them that are no kind."""


def module_of(test: Path) -> Path | None:
    """The module or package that a test file is about, by its name and place; None where there is none."""
    place = ROOT / test.parent.relative_to(TESTS)
    words = test.stem.removeprefix("test_").split("_")
    for length in range(len(words), 0, -1):
        name = "_".join(words[:length])
        for candidate in (place / f"{name}.py", place / name / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


@pytest.mark.parametrize("test", TEST_FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_a_test_file_stands_at_the_place_of_its_module(test: Path) -> None:
    assert module_of(test) is not None, "name it test_<module>.py or test_<module>_<topic>.py"


@pytest.mark.parametrize("room", KINDS_IN_FILES)
def test_each_kind_has_its_test_at_the_mirrored_place(room: str) -> None:
    kinds = {path.stem for path in (ROOT / room).glob("*.py")} - {"__init__", *KINDS_IN_FILES[room]}
    tested = {path.stem.removeprefix("test_") for path in (TESTS / room).glob("test_*.py")}
    assert kinds - tested == set()


def test_names_of_tests_are_short_enough_to_read() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in EVERY_TEST_FILE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) > MAX_NAME
    ]
    assert long == []
