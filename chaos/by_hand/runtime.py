"""The files by which commands find the stacks that are up: one for each, of mode 0600, in the user's runtime folder.

The folder is `$XDG_RUNTIME_DIR/brownout`, or `/tmp/brownout-UID` without that variable. It has mode 0700 and belongs to
the user: otherwise somebody else could put a file there. A file whose process is gone is removed by whoever finds it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec

from chaos.supervision.identity import Identity, identify
from reports.shared.errors import UserError

__all__ = ["Entry", "announce", "entries", "entry_name", "find_entry", "runtime_folder", "withdraw"]

_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stack that is up. `name`: unique while it is up. `socket`: the path of its control socket.

    `what`: "up" or "run". `folder`: its record. `stack`, `first_port`: of its replicas (0: free ports were chosen).
    """

    name: str
    what: str
    socket: str
    folder: str
    stack: str
    url: str
    first_port: int
    pid: int
    start_time: int
    boot_id: str

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        found = identify(self.pid)
        return found == Identity(self.pid, self.start_time, self.boot_id)


def runtime_folder() -> Path:
    """The folder, made if it is missing. Raises UserError if it cannot be used."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(base) / "brownout" if os.path.isabs(base) else Path(f"/tmp/brownout-{os.getuid()}")
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700, parents=True)
        facts = folder.lstat()
    except OSError as error:
        remedy = "set XDG_RUNTIME_DIR to a folder of yours with mode 0700"
        raise UserError(f"{folder} cannot be made: {error.strerror}\n    {remedy}") from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise UserError(
            f"{folder} is not a folder of yours with mode 0700: somebody else could control your stacks\n"
            f"    remove it, or set XDG_RUNTIME_DIR to a folder of yours"
        )
    return folder


def entry_name(base: str) -> str:
    """A name that no stack has that is up: `base`, else `base-2` and so on."""
    taken = {entry.name for entry in entries()}
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if name not in taken)


def announce(entry: Entry) -> Path:
    """Write the file of a stack. Returns its path. Raises UserError."""
    path = runtime_folder() / f"{entry.name}{_SUFFIX}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(asdict(entry)))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
    return path


def withdraw(entry: Entry) -> None:
    """Remove the file and the socket of a stack. Idempotent."""
    for path in (runtime_folder() / f"{entry.name}{_SUFFIX}", Path(entry.socket)):
        with contextlib.suppress(OSError):
            path.unlink()


def entries() -> list[Entry]:
    """The stacks that are up, by name. What is left of others is removed."""
    return sorted(_alive(), key=lambda entry: entry.name)


def _alive() -> Iterator[Entry]:
    for path in runtime_folder().glob(f"*{_SUFFIX}"):
        try:
            entry = msgspec.json.decode(path.read_bytes(), type=Entry)
        except (OSError, msgspec.DecodeError):
            continue  # it is being written, or is none of ours
        if entry.alive:
            yield entry
        else:
            withdraw(entry)


def find_entry(name: str | None = None) -> Entry:
    """The stack of this name; without one, the only stack that is up. Raises UserError."""
    found = entries()
    if not found:
        raise UserError("no stack is up and no experiment is running\n    start one: brownout up --stack multi-cloud")
    names = ", ".join(entry.name for entry in found)
    if name is not None:
        chosen = next((entry for entry in found if name in (entry.name, entry.folder)), None)
        if chosen is None:
            raise UserError(f'no stack "{name}" is up\n    these are: {names}')
        return chosen
    if len(found) > 1:
        raise UserError(f"{len(found)} stacks are up: name one with --at\n    these are: {names}")
    return found[0]
