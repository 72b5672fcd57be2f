"""`python -m brownout` and the console script, beside packages of the user's that are called as ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from brownout.children import python_words
from tests.support.paths import ROOT

SCRIPT = "import sys; from brownout.__main__ import main; sys.exit(main())"
"""What pip writes into the file `brownout`."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("reports", "targets", "tests", "chaos", "loadprofiles"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('the package {name} of the user')\n")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [["-m", "brownout"], python_words("-m", "brownout")[1:], python_words("-c", SCRIPT)[1:]],
    ids=["python -m", "python -P -m", "script"],
)
def test_the_command_never_takes_the_users_packages_for_ours(project: Path, words: list[str]) -> None:
    done = command(project, [*words, "--help"], f".{os.pathsep}{ROOT}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout


def test_usage_errors_have_the_exit_code_of_the_command(project: Path) -> None:
    done = command(project, ["-m", "brownout", "no-such"], f"{ROOT}{os.pathsep}.")
    assert done.returncode == 2
    assert "no-such" in done.stderr


def command(project: Path, words: list[str], path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": path}
    python = python_words()[0]
    return subprocess.run([python, *words], cwd=project, env=environment, capture_output=True, text=True, check=False)
