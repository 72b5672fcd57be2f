"""Where gateways are installed, and which are: the user's cache folder, then this machine's own programs.

    ~/.cache/brownout/targets/nginx-1.22.1/installation.json    written last: without it, nothing is installed

The file has the version that the program itself states, and the program's and its libraries' paths in the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Final

from reports.shared.errors import TargetFailed, UserError
from targets.adapters.base import Adapter, Debian, Installation
from targets.adapters.tool import run_tool

__all__ = [
    "MANIFEST",
    "folder_of",
    "installed",
    "planned",
    "program_in",
    "read_installation",
    "stated_version",
    "targets_folder",
    "version_note",
    "write_manifest",
]

MANIFEST: Final = "installation.json"

_VERSION_WITHIN_S: Final = 20.0
_SYSTEM_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian has daemons. They are not on the PATH of a normal user."""


def targets_folder() -> Path:
    """The folder of all installations: `$XDG_CACHE_HOME/brownout/targets`, by default below `~/.cache`.

    Raises UserError if neither variable names a folder and the user is not known to the system, as in a container.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache):  # a relative path is invalid, as XDG says
        return Path(cache) / "brownout" / "targets"
    try:
        return Path.home() / ".cache" / "brownout" / "targets"
    except RuntimeError:
        raise UserError(
            f"this user ({os.getuid()}) has no home folder, so there is no folder for gateways\n"
            f"    set XDG_CACHE_HOME or HOME to a folder of yours"
        ) from None


def folder_of(adapter: Adapter) -> Path:
    """Where `install` puts a gateway, installed or not."""
    return targets_folder() / f"{adapter.name}-{adapter.version}"


def installed(adapter: Adapter) -> Installation | None:
    """The installation that would be used. None: there is none.

    One by `install` comes first; then, for a package of Debian, a program on the PATH or among the system's daemons,
    with whatever version it has (`version_note`).
    """
    found = read_installation(folder_of(adapter))
    if found is None and isinstance(adapter.install, Debian):
        found = _on_this_machine(adapter)
    return found


def planned(adapter: Adapter) -> Installation:
    """The installation that `install` would make, to show a command before there is one."""
    program = adapter.program.replace("python3*", f"python3.{sys.version_info[1]}")
    return Installation(folder_of(adapter) / program, adapter.version, folder_of(adapter))


def version_note(adapter: Adapter, found: Installation) -> str:
    """What to tell the user about the version of an installation; "" if it is the pinned one."""
    if found.version == adapter.version:
        return ""
    return (
        f"{adapter.name}: {found.program} is version {found.version}; brownout was tested with {adapter.version}. "
        f"What is known of it may not hold"
    )


def read_installation(folder: Path) -> Installation | None:
    """The installation in a folder. None if there is none, or if it was not completed or is damaged."""
    try:
        facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        program = folder / facts["program"]
        libraries = tuple(str(folder / name) for name in facts["libraries"])
        version = str(facts["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    python = folder / "bin" / "python"
    if python.is_symlink() and not python.exists():  # the interpreter of a virtual environment was removed
        return None
    return Installation(program, version, folder, libraries) if os.access(program, os.X_OK) else None


def write_manifest(found: Installation) -> None:
    """Write the file that makes a folder an installation. `found.folder` must be set. Raises OSError."""
    assert found.folder is not None
    facts = {
        "version": found.version,
        "program": str(found.program.relative_to(found.folder)),
        "libraries": [str(Path(name).relative_to(found.folder)) for name in found.libraries],
    }
    (found.folder / MANIFEST).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def program_in(folder: Path, adapter: Adapter) -> Path | None:
    """The adapter's program below a folder. None if it is not there."""
    return next((path for path in sorted(folder.glob(adapter.program)) if os.access(path, os.X_OK)), None)


def stated_version(adapter: Adapter, found: Installation) -> str | None:
    """The version that the program itself states, within 20 s. None if it states none.

    Raises TargetFailed if the program cannot be started or fails.
    """
    environment = {**os.environ, **found.environment()}
    output = run_tool(adapter.version_command(found), within_s=_VERSION_WITHIN_S, environment=environment)
    return adapter.version_in(output)


def _on_this_machine(adapter: Adapter) -> Installation | None:
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    program = shutil.which(PurePath(adapter.program).name, path=places)
    if program is None:
        return None
    found = Installation(Path(program).absolute(), "")
    try:
        version = stated_version(adapter, found)
    except TargetFailed:
        return None
    return replace(found, version=version) if version else None
