"""Installs gateways into the user's cache folder. Nothing is installed outside of it.

Two tools keep files of their own elsewhere: pip its downloads, and apt its lists of packages, which are fetched where
they lack a package.

An installation is built in a folder beside its place and renamed when its program has stated its version, so that an
interrupted one does not count. One process at a time installs a gateway; others wait for it. What a killed one has
left is removed by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from reports.shared.errors import TargetFailed, UserError
from targets.adapters.base import Adapter, Debian, Installation, Npm, Pip
from targets.adapters.builders import build_from_debian, build_from_npm, build_from_pip
from targets.adapters.cache import (
    folder_of,
    installed,
    program_in,
    read_installation,
    stated_version,
    targets_folder,
    write_manifest,
)

__all__ = ["install"]

_WAIT_S: Final = 1200.0
"""How long to wait for another process that installs the same gateway, in seconds."""
_POLL_S: Final = 0.2


def install(adapter: Adapter, say: Callable[[str], None] = lambda text: None) -> Installation:
    """Install a gateway, unless it is installed. Returns the installation. `say` gets a line for each step.

    Raises UserError if the cache folder cannot be written, or if an administrator is needed; TargetFailed if a tool
    fails, with the last lines of its output, or if the program does not state the expected version.
    """
    found = installed(adapter)
    if found is not None:
        return found
    place = folder_of(adapter)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(adapter, say):
            return read_installation(place) or _install(adapter, place, say)
    except OSError as error:
        where = error.filename or place.parent
        raise UserError(
            f"{where} cannot be written: {error.strerror}\n"
            f"    set XDG_CACHE_HOME to a folder of yours, with {adapter.size_mb} MB of free space"
        ) from None


def _install(adapter: Adapter, place: Path, say: Callable[[str], None]) -> Installation:
    prefix = f".{place.name}."
    for left in (*place.parent.glob(f"{prefix}*/"), place):  # of installs that were killed, or damaged
        shutil.rmtree(left, ignore_errors=True)
    build = Path(tempfile.mkdtemp(prefix=prefix, dir=place.parent))
    try:
        made = _built(adapter, build, place, say)
        write_manifest(made)
        build.chmod(0o755)
        build.rename(place)
    finally:
        shutil.rmtree(build, ignore_errors=True)
    found = read_installation(place)
    if found is None:
        raise TargetFailed(f"{adapter.name}: the installation in {place} was changed while it was made")
    return found


def _built(adapter: Adapter, build: Path, place: Path, say: Callable[[str], None]) -> Installation:
    """Fills the folder `build`, which will be renamed to `place`. Returns what is in it, with its stated version."""
    libraries: tuple[str, ...] = ()
    match adapter.install:
        case Pip() as pip:
            build_from_pip(pip, build, place, say)
        case Debian() as debian:
            libraries = build_from_debian(debian, build, say)
        case Npm() as npm:
            build_from_npm(npm, build, say)
    program = program_in(build, adapter)
    if program is None:
        raise TargetFailed(f"{adapter.name}: what was installed has no {adapter.program}")
    made = Installation(program, "", build, libraries)
    version = stated_version(adapter, made)
    if version is None or (version != adapter.version and not isinstance(adapter.install, Debian)):
        raise TargetFailed(f"{adapter.name}: installed was version {version or 'unknown'}, not {adapter.version}")
    return replace(made, version=version)


@contextlib.contextmanager
def _alone(adapter: Adapter, say: Callable[[str], None]) -> Iterator[None]:
    """No other process installs this gateway within the block. Waits for one that does.

    Without a lock where the file system has none: the rename then decides.
    """
    descriptor = os.open(targets_folder() / f".{adapter.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline, told = time.monotonic() + _WAIT_S, False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TargetFailed(
                        f"another process has been installing {adapter.name} for {_WAIT_S:g} s. Try again later"
                    ) from None
                if not told:
                    say(f"another process installs {adapter.name}: waiting for it")
                    told = True
                time.sleep(_POLL_S)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)
