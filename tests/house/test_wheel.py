"""The wheel, as a user installs it: `tools/try_wheel` does and checks every step."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TOOL = ROOT / "tools" / "try_wheel"


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(importlib.util.find_spec("build") is None, reason="needs the package `build`")
def test_the_wheel_works_beside_packages_of_the_users_with_our_names(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, TOOL, tmp_path], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)


def test_every_data_file_of_our_packages_matches_a_pattern_of_the_wheel() -> None:
    """Quick: `tools/try_wheel` looks into the wheel itself."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = [pattern.split("/")[-1] for listed in settings["package-data"].values() for pattern in listed]
    packages = [name.rstrip("*") for name in settings["packages"]["find"]["include"]]
    listed = subprocess.run(["git", "ls-files", *packages], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(name) for name in listed.stdout.splitlines() if not name.endswith(".py")]
    assert len(files) > 50
    assert [str(path) for path in files if not any(fnmatch(path.name, pattern) for pattern in patterns)] == []
