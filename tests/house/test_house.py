"""Rules that no single module can hold: contracts, exports, imports of processes, what must not be in the tree."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("brownout", "chaos", "loadprofiles", "targets", "reports")
MODULES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.name != "__init__.py" and "locustfile" not in path.name
)
HEAVY = ("duckdb", "scipy", "numpy", "bokeh", "pydantic", "rich", "typer")
MAX_LINES = 400
NO_EXPORTS = ("attributes.py", "__main__.py")
"""Modules without `__all__`: the vocabulary, all of which is public, and commands, which nothing imports."""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return done.stdout


def test_imports_keep_the_contracts() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


def test_the_contract_forbids_every_room_of_reports_but_the_shared_one() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (forbidden,) = [set(contract["forbidden_modules"]) for contract in contracts if contract["type"] == "forbidden"]
    rooms = {
        f"reports.{path.stem}"
        for path in (ROOT / "reports").iterdir()
        if not path.stem.startswith(("_", "py")) and (path.suffix == ".py" or (path / "__init__.py").is_file())
    }
    assert forbidden == rooms - {"reports.shared"}


@pytest.mark.parametrize(
    ("text", "homes"),
    [
        ('"X-Brownout-Token"', {"reports/shared/control_port.py"}),
        ("get_close_matches", {"reports/shared/errors.py"}),
        ("compare_digest", {"reports/shared/control_port.py"}),
        ("digest_size=8", {"reports/shared/draws.py", "loadprofiles/draws.py"}),  # a draw; a tree of draws
        ("/ 2**64", {"reports/shared/draws.py"}),
        ("expanduser", {"reports/shared/home.py"}),
    ],
)
def test_what_several_parts_use_is_written_once(text: str, homes: set[str]) -> None:
    assert {str(path) for path in MODULES if text in (ROOT / path).read_text()} == homes


@pytest.mark.parametrize(
    "modules",
    [
        "chaos.children.entry, chaos.children.telemetry, targets.replica.server.server",
        "chaos.children.entry, chaos.children.telemetry, targets.gateway.server.server",
        "chaos.children.environment, chaos.children.telemetry, loadprofiles.player.locust_host, "
        "loadprofiles.player.load_config",
        "chaos.supervision.shepherd",
    ],
)
def test_no_process_under_test_imports_the_analysis(modules: str) -> None:
    heavy = python(f"import sys, {modules}; print([name for name in {HEAVY} if name in sys.modules])")
    assert heavy.strip() == "[]"


@pytest.mark.parametrize(
    "modules",
    ["chaos.supervision.shepherd", "chaos.children.environment, chaos.children.telemetry, reports.shared.control_port"],
)
def test_processes_without_a_server_do_not_import_one(modules: str) -> None:
    found = python(f"import sys, {modules}; print([name for name in ('aiohttp', 'uvloop') if name in sys.modules])")
    assert found.strip() == "[]"


def test_help_takes_less_than_400_ms_of_cpu() -> None:
    """The best of three, in seconds of CPU, because the machine may be busy. Imports what `--help` needs."""

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
def test_a_module_has_a_docstring_and_explicit_exports(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert ast.get_docstring(tree), "a module begins with a docstring"
    (exports,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["__all__"]
    ]
    assert set(ast.literal_eval(exports)) <= set(defined(tree))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= MAX_LINES


def test_no_machine_path_and_no_registry_host_is_in_the_tree() -> None:
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
