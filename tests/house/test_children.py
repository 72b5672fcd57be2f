"""No child process can take a user's own folder for a package of ours: each starts Python with `-P`, from one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("brownout", "chaos", "loadprofiles", "targets", "reports", "bench")
OURS = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SAFE = {"-P", "-I"}


def uses_of_the_interpreter(tree: ast.AST) -> list[int]:
    """The lines with `sys.executable`."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "executable"]


def unsafe_modules(tree: ast.AST) -> Iterator[int]:
    """The lines with words of a command in which `-m` follows neither `-P` nor `-I`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            words, safe = node.args, getattr(node.func, "id", "") == "python_words"
        elif isinstance(node, ast.List | ast.Tuple):
            words, safe = node.elts, False
        else:
            continue
        for word in words:
            value = word.value if isinstance(word, ast.Constant) else None
            safe = safe or (isinstance(value, str) and value in SAFE)
            if value == "-m" and not safe:
                yield word.lineno


def unsafe_interpreters(tree: ast.AST) -> Iterator[int]:
    """As `unsafe_modules`, for commands with `sys.executable`: other lists of words are a test's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple) and any(uses_of_the_interpreter(word) for word in node.elts):
            yield from unsafe_modules(node)


def places(paths: list[Path], lines_of: object) -> list[str]:
    assert callable(lines_of)
    return [
        f"{path.relative_to(ROOT)}:{line}"
        for path in paths
        if "executable" in (text := path.read_text()) or '"-m"' in text
        for line in lines_of(ast.parse(text))
    ]


def test_only_one_module_names_the_interpreter() -> None:
    assert {place.split(":")[0] for place in places(OURS, uses_of_the_interpreter)} == {"brownout/children.py"}


def test_no_command_starts_a_module_without_the_safe_path() -> None:
    assert places(OURS, unsafe_modules) == []


def test_no_command_of_a_test_starts_a_module_without_the_safe_path() -> None:
    assert places(TESTS, unsafe_interpreters) == []


@pytest.mark.parametrize(
    ("code", "unsafe"),
    [
        ('words = [sys.executable, "-m", "reports.analysis"]', True),
        ('words = [\n    python,\n    "-S",\n    "-m",\n    "locust",\n]', True),
        ('subprocess.Popen((python, "-m", name))', True),
        ('exec_child(python, "-m", name)', True),
        ('words = [python, "-P", "-m", name]', False),
        ('words = [python, "-I", "-m", "pip"]', False),
        ('words = python_words("-S", "-m", name)', False),
    ],
)
def test_a_forgotten_option_is_found(code: str, unsafe: bool) -> None:
    assert bool(list(unsafe_modules(ast.parse(code)))) is unsafe
