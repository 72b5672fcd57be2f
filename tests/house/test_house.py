"""The rules of the house that no single module can hold: floors, exports, weights, what must not stand in the tree."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("chaos", "loadprofiles", "targets", "reports")
MODULES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.name != "__init__.py" and "locustfile" not in path.name
)
HEAVY = ("duckdb", "scipy", "numpy", "bokeh", "pydantic", "rich", "typer")
MAX_LINES = 400
NO_EXPORTS = ("attributes.py", "__main__.py")
"""The vocabulary, all of which is for everyone; and commands, which nobody imports."""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return done.stdout


def test_the_packages_stand_on_the_floors_that_the_architecture_gives_them() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "modules",
    [
        "chaos.children.entry, chaos.children.telemetry, targets.replica.server.server",
        "chaos.children.entry, chaos.children.telemetry, targets.gateway.server.server",
        "chaos.children.environment, chaos.children.telemetry, loadprofiles.player.locust_host, loadprofiles.player.load_config",
        "chaos.supervision.shepherd",
    ],
)
def test_no_process_under_test_imports_the_analysis(modules: str) -> None:
    heavy = python(f"import sys, {modules}; print([name for name in {HEAVY} if name in sys.modules])")
    assert heavy.strip() == "[]"


def test_the_command_line_answers_help_at_once() -> None:
    """The best of three, in seconds of CPU: others may keep the machine busy. Imports what help needs."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python("import chaos.cli.app")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.4


def defined(tree: ast.Module) -> dict[str, ast.AST]:
    """The names that a module's top level binds."""
    found: dict[str, ast.AST] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = node
    return found


@pytest.mark.parametrize("path", [path for path in MODULES if path.name not in NO_EXPORTS], ids=str)
def test_every_module_says_what_it_is_and_what_it_offers(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert ast.get_docstring(tree), "a module begins by saying what it is"
    (exports,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["__all__"]
    ]
    assert set(ast.literal_eval(exports)) <= set(defined(tree))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_is_longer_than_one_concept_needs(path: Path) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= MAX_LINES


def test_no_path_of_a_machine_and_no_registry_stands_in_the_tree() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    registries = ("pypi" + ".org", "python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian")
    words = re.compile("|".join(re.escape(word) for word in (*registries, "/wor" + "k/", "/ro" + "ot/")))
    found = []
    for name in listed:
        path = ROOT / name
        if path.suffix in (".png",) or not path.is_file():
            continue
        if words.search(path.read_text(errors="replace")):
            found.append(name)
    assert found == []
