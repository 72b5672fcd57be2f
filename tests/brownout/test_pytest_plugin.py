"""The fixture `brownout` in a pytest of its own, with a fake gate."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from brownout.children import python_words
from brownout.pytest_plugin import _safe
from tests.support.paths import ROOT

CONFTEST = """
import pytest
from tests.support.fake_gate import play_fake_gates

@pytest.fixture(autouse=True)
def _fake(monkeypatch):
    play_fake_gates(monkeypatch)
"""

TESTS = """
import pytest

def test_good(brownout):
    assert brownout.run("pass").passed

@pytest.mark.parametrize("stack", ["a b", "a-b"])
def test_stacks(brownout, stack):
    brownout.run("pass", stack=stack)

def test_twice(brownout, tmp_path):
    first, second = brownout.run("pass"), brownout.run("fail")
    assert first.folder != second.folder

def test_bad(brownout):
    result = brownout.run("fail")
    result.assert_passed()

def test_usage(brownout):
    brownout.run("usage")

def test_typo(brownout):
    brownout.run("pass", stak="naive")
"""


def play(project: Path, *words: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest there. The plugin is loaded by its name: it need not be installed."""
    (project / "conftest.py").write_text(CONFTEST)
    for name, text in files.items():
        (project / f"{name}.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugin = ["-p", "brownout.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        python_words("-m", "pytest", "-q", *plugin, *words),
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_test_plays_a_gate_and_a_failure_is_short(tmp_path: Path) -> None:
    done = play(tmp_path, "--basetemp", str(tmp_path / "base"), test_small=TESTS)
    assert "3 failed, 4 passed" in done.stdout, done.stdout
    failures = done.stdout.split("\n____")
    bad = next(part for part in failures if "test_bad" in part)
    assert "E       AssertionError: brownout: fail (exit code 1)" in bad
    assert "result.assert_passed()" in bad
    assert "playing fail" in bad, "what the gate printed is captured, and shown where the test fails"
    usage = next(part for part in failures if "test_usage" in part)
    assert "E       brownout.errors.UsageError: my.yaml:3: no such stack" in usage
    assert "unexpected keyword argument 'stak'" in done.stdout
    ours = [line for line in (bad + usage).splitlines() if "brownout/" in line and ".py:" in line]
    assert ours == [], "no line of ours is in the traceback"
    assert len(list((tmp_path / "base").glob("test_twice0/brownout*/gate.json"))) == 2


def test_results_are_kept_in_a_folder_for_each_test(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    done = play(tmp_path, "--brownout-out", "kept", "-k", "good or stacks", **{"inner/test_small": TESTS})
    assert done.returncode == 0, done.stdout
    kept = sorted(str(path.parent.relative_to(tmp_path / "kept")) for path in tmp_path.glob("kept/**/gate.json"))
    assert kept[0] == "inner/test_small/test_good"
    assert kept[1] == "inner/test_small/test_stacks-a-b"
    assert kept[2].startswith("inner/test_small/test_stacks-a-b-"), "its name lost a space: a digest tells it apart"
    assert len(kept) == 3


def test_no_two_tests_share_a_folder() -> None:
    names = ["test_x", *(f"test_x[{one}]" for one in ("a", "a-", "-a", "a[b]", "a-b", "a b", "a+b")), "a b", "a+b"]
    assert len({_safe(name) for name in names}) == len(names)
    assert _safe("test_x[a-b]") == "test_x-a-b"
    assert len(_safe("x" * 500)) < 120


def test_the_folder_can_be_set_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nbrownout_out = kept\n")
    assert play(tmp_path, "-k", "good", test_small=TESTS).returncode == 0
    assert (tmp_path / "kept" / "test_small" / "test_good" / "gate.json").exists()


@pytest.mark.long
def test_two_workers_never_play_at_the_same_time(tmp_path: Path) -> None:
    """Each fake gate makes a file, and fails if there is one already."""
    alone = """
import os, pathlib, pytest
PLACE = pathlib.Path(__file__).with_name("playing")

@pytest.mark.parametrize("number", range(4))
def test_alone(brownout, number):
    def played(line):
        PLACE.touch(exist_ok=False)
        PLACE.with_name(f"by-{os.environ['PYTEST_XDIST_WORKER']}").touch()
        PLACE.unlink()
    brownout.run("pass", on_output=played)
"""
    done = play(tmp_path, "-p", "xdist", "-n", "2", "--dist", "each", test_alone=alone)
    assert "8 passed" in done.stdout, done.stdout
    assert len(list(tmp_path.glob("by-*"))) == 2


def test_loading_the_plugin_takes_less_than_20_ms_and_nothing_but_the_library() -> None:
    """Milliseconds of CPU, the best of three, because the machine may be busy."""
    code = (
        "import sys, time, pytest\n"
        "before, began = set(sys.modules), time.process_time(); import brownout.pytest_plugin\n"
        "print((time.process_time() - began) * 1000)\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = [
        subprocess.run(python_words("-c", code), env=environment, capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    took_ms, loaded = zip(*(one.stdout.splitlines() for one in done), strict=True)
    assert set(loaded) == {"brownout"}
    assert min(map(float, took_ms)) < 20
