"""The commit and the machine of a result."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.provenance import CHANGED, commit, machine_class


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_says_whether_tracked_files_differ_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "--no-verify", "--message", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("not tracked\n")
    assert commit(tmp_path) == head[:12]
    (tmp_path / "code.py").write_text("2\n")
    assert commit(tmp_path) == head[:12] + CHANGED


def test_a_folder_without_a_repository_has_an_unknown_commit(tmp_path: Path) -> None:
    assert commit(tmp_path) == "unknown"


def test_the_machine_class_names_cores_memory_and_autogroup() -> None:
    parts = machine_class().split(", ")
    assert parts[0] == f"{os.cpu_count()} cores"
    assert parts[-1] in ("autogroup on", "autogroup off", "autogroup unknown")
