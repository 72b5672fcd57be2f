"""Where a stored result comes from: the commit of the code, and the kind of machine."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

__all__ = ["CHANGED", "code_commit", "commit", "machine_class"]

ROOT = Path(__file__).parents[1]
CHANGED = "+changes"
"""Follows the commit if tracked files have uncommitted changes."""

CODE = ("chaos", "loadprofiles", "reports", "targets", ":(exclude)chaos/experiments/*.yaml")
"""The packages of a run, without the files of single experiments: one of those changes no run of another."""


def commit(root: Path = ROOT) -> str:
    """The commit that is checked out, `CHANGED` after it if files differ from it; `unknown` without a repository."""
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + (CHANGED if changed else "")


def code_commit(root: Path = ROOT) -> str:
    """The last commit that changed what a run plays or how it is judged; `CHANGED` as for `commit`.

    Documentation, tests and benchmarks may change between two rows of a table, these packages not.
    """
    try:
        last = _git(root, "log", "-1", "--format=%h", "--abbrev=12", "--", *CODE)
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return last + (CHANGED if changed else "")


def machine_class() -> str:
    """Cores, processor, memory and the kernel's autogroup setting, in one line."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    parts = [f"{os.cpu_count()} cores", _processor(), f"{memory_gb:.0f} GB", f"autogroup {_autogroup()}"]
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _autogroup() -> str:
    try:
        return {"1": "on", "0": "off"}[Path("/proc/sys/kernel/sched_autogroup_enabled").read_text().strip()]
    except (OSError, KeyError):
        return "unknown"


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
