"""Which folders Python searches for packages, so that a user's own `reports` or `targets` do not hide ours.

With PYTHONPATH=., which is usual in CI, Python finds the packages of the user's project before those of brownout, also
with `-P`. The command removes such folders from its search path, and from PYTHONPATH for the processes that it starts.
Folders that hold nothing of our names stay. Only the standard library is used, before anything of ours is imported.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder

__all__ = ["PACKAGES", "ROOT", "USERS", "own_entries", "own_environment", "search_own_packages", "users_environment"]

PACKAGES = ("brownout", "chaos", "loadprofiles", "reports", "targets")
"""The packages of brownout."""

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
"""The folder that holds them: `site-packages`, or a checkout."""

USERS = "BROWNOUT_USERS_PYTHONPATH"
"""The variable that keeps the PYTHONPATH of the user, for commands of the user's own."""

_SITE = ("site-packages", "dist-packages")


def own_entries(entries: Iterable[str]) -> list[str]:
    """The folders of a search path, without those in which a package of our names would be found instead of ours.

    Our own folder is among them unless it is one of the interpreter's, which is searched anyway. A folder after our own
    hides nothing. "" is the current folder.
    """
    kept: list[str] = []
    found = False
    for entry in entries:
        found = found or _is_root(entry)
        if found or not _hides(entry):
            kept.append(entry)
    return kept if found or os.path.basename(ROOT) in _SITE else [*kept, ROOT]


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """This environment, in which Python finds our packages. What PYTHONPATH was is kept in `USERS` if it changes."""
    before = environment.get("PYTHONPATH", "")
    after = os.pathsep.join(own_entries(before.split(os.pathsep) if before else []))
    if after == before:
        return dict(environment)
    return {**environment, "PYTHONPATH": after, USERS: environment.get(USERS, before)}


def users_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """This environment with the PYTHONPATH that the user had set: for commands of the user's own."""
    changed = {name: value for name, value in environment.items() if name != USERS}
    if USERS in environment:
        changed["PYTHONPATH"] = environment[USERS]
        if not changed["PYTHONPATH"]:
            del changed["PYTHONPATH"]
    return changed


def search_own_packages() -> None:
    """Let this process and the ones that it starts find our packages. Call it before any of them is imported."""
    sys.path[:] = own_entries(sys.path)
    changed = own_environment(os.environ)
    for name in ("PYTHONPATH", USERS):
        if name in changed and os.environ.get(name) != changed[name]:
            os.environ[name] = changed[name]


def _is_root(entry: str) -> bool:
    return os.path.realpath(entry or os.curdir) == ROOT


def _hides(entry: str) -> bool:
    """Whether a package or module of one of our names is in this folder (or archive).

    A folder without `__init__.py` is none: Python prefers ours, which is found later. The interpreter's folders stay.
    """
    if os.path.basename(entry.rstrip(os.sep)) in _SITE:
        return False
    specs = (PathFinder.find_spec(name, [entry or os.curdir]) for name in PACKAGES)
    return any(spec is not None and spec.origin is not None for spec in specs)
