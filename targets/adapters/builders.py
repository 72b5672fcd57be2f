"""Fills a folder with a gateway: from Python packages, Debian's packages, or npm.

No address of a registry is in here: each tool is configured by the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from brownout.children import python_words
from reports.shared.errors import UserError
from targets.adapters.base import Debian, Npm, Pip
from targets.adapters.tool import ToolFailed, run_tool

__all__ = ["build_from_debian", "build_from_npm", "build_from_pip"]

_VENV_WITHIN_S: Final = 120.0
_PACKAGES_WITHIN_S: Final = 900.0
_APT_WITHIN_S: Final = 300.0
_UNPACK_WITHIN_S: Final = 60.0

Say = Callable[[str], None]


def build_from_pip(pip: Pip, build: Path, place: Path, say: Say) -> None:
    """Make a virtual environment in `build`, to be renamed to `place`. Raises UserError, ToolFailed."""
    first, last = pip.pythons
    if not first <= sys.version_info[:2] < last:
        raise UserError(
            f"{', '.join(pip.requirements)} needs Python {first[0]}.{first[1]} or later, before {last[0]}.{last[1]}; "
            f"this is {sys.version_info[0]}.{sys.version_info[1]}\n    run brownout with another Python"
        )
    say("making a virtual environment")
    run_tool(python_words("-I", "-m", "venv", str(build)), within_s=_VENV_WITHIN_S)
    say(f"installing {', '.join(pip.requirements)} with pip")
    python = str(build / "bin" / "python")
    options = ["--disable-pip-version-check", "--no-warn-script-location", "--quiet"]
    run_tool([python, "-I", "-m", "pip", "install", *options, *pip.requirements], within_s=_PACKAGES_WITHIN_S)
    _rename_in_scripts(build, place)


def _rename_in_scripts(build: Path, place: Path) -> None:
    """Let scripts start the interpreter at the final place: pip wrote the path of the folder in which it worked."""
    for script in (build / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if b"\0" not in content and bytes(build) in content:
            script.write_bytes(content.replace(bytes(build), bytes(place)))


def build_from_debian(debian: Debian, build: Path, say: Say) -> tuple[str, ...]:
    """Download packages and those that they need and this machine lacks, and unpack them in `build`.

    Nothing is installed on the machine, and no service is started. Returns the folders of unpacked libraries. Raises
    UserError with the command for an administrator if it cannot be done here, ToolFailed.
    """
    words = " ".join(debian.packages)
    for tool in ("apt-get", "apt-cache", "dpkg"):
        if shutil.which(tool) is None:
            raise UserError(
                f"there is no {tool} on this machine, so {words} cannot be installed by brownout\n"
                f"    install it with your package manager, so that the program is on the PATH"
            )
    archives = build / "archives"
    (archives / "partial").mkdir(parents=True)
    options = [
        *("-o", f"Dir::Cache={archives}", "-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"),
        *("-o", f"APT::Sandbox::User={'root' if os.geteuid() == 0 else ''}"),
    ]
    try:
        _have_lists(debian, options, say)
        say(f"downloading {words} with apt-get")
        chosen = ["install", "--yes", "--download-only", "--no-install-recommends", *debian.packages]
        run_tool(["apt-get", *options, *chosen], within_s=_APT_WITHIN_S)
    except ToolFailed as error:
        if os.geteuid() == 0:
            raise ToolFailed(f"{error}\n    if the lists of packages are old: apt-get update") from None
        raise _for_an_administrator(debian, str(error)) from None
    say("unpacking")
    for archive in sorted(archives.glob("*.deb")):
        run_tool(["dpkg", "-x", str(archive), str(build)], within_s=_UNPACK_WITHIN_S)
    shutil.rmtree(archives)
    lib_folders = {path.parent for top in ("lib", "usr/lib") for path in (build / top).glob("*-linux-*/*.so*")}
    return tuple(sorted(str(folder) for folder in lib_folders))


def _have_lists(debian: Debian, options: list[str], say: Say) -> None:
    """Fetch apt's lists of packages if a package is unknown without them."""

    def known(package: str) -> bool:
        policy = run_tool(["apt-cache", *options, "policy", package], within_s=_UNPACK_WITHIN_S)
        return "Candidate:" in policy and "Candidate: (none)" not in policy

    if all(known(package) for package in debian.packages):
        return
    if os.geteuid() != 0:
        raise _for_an_administrator(debian, "apt's lists of packages are missing on this machine")
    say("fetching apt's lists of packages")
    run_tool(["apt-get", "update"], within_s=_APT_WITHIN_S)
    if not all(known(package) for package in debian.packages):
        raise UserError(f"apt knows no package {' or '.join(debian.packages)}: is this a Debian or an Ubuntu?")


def _for_an_administrator(debian: Debian, why: str) -> UserError:
    command = f"apt-get update && apt-get install --no-install-recommends {' '.join(debian.packages)}"
    return UserError(f"{why}\n    as an administrator: {command}")


def build_from_npm(npm: Npm, build: Path, say: Say) -> None:
    """Install a package and what it needs into `build/node_modules`. Runs no script of a package. Raises ToolFailed."""
    if shutil.which("npm") is None:
        raise UserError(f"{npm.package} needs npm, which is not on the PATH\n    install Node.js with npm")
    described = {
        "private": True,
        "dependencies": {npm.package: npm.version},
        "overrides": dict(npm.overrides),
    }
    (build / "package.json").write_text(json.dumps(described, indent=1), encoding="utf-8")
    say(f"installing {npm.package} {npm.version} with npm")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error"]
    cache = ["--cache", str(build / "npm-cache")]
    run_tool(["npm", "install", *options, *cache], within_s=_PACKAGES_WITHIN_S, folder=build)
    shutil.rmtree(build / "npm-cache", ignore_errors=True)
