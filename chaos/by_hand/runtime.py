"""The files by which commands find the stacks that are up: one for each, of mode 0600, in the user's runtime folder.

The folder is `$XDG_RUNTIME_DIR/brownout`, or `/tmp/brownout-UID` where that variable names no folder of the user. It
has mode 0700 and belongs to the user: otherwise somebody else could put a file there. A file whose process is gone is
removed by whoever finds it, with the socket that it names.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from chaos.supervision.identity import Identity, boot_id, state_of
from reports.shared.errors import UserError
from reports.shared.regular_file import read_regular

__all__ = ["Entry", "announce", "entries", "find_entry", "runtime_folder", "socket_path", "withdraw"]

_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stack that is up. `name`: unique while it is up. `socket`: the path of its control socket.

    `what`: "up" or "run". `folder`: its record. `stack`, `first_port`: of its replicas (0: free ports were chosen).
    `replicas`: `replicas_digest` of its stack.
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
    replicas: str = ""

    @property
    def alive(self) -> bool:
        """Whether its process is there, and no zombie."""
        return self.boot_id == boot_id() and state_of(self.identity) != "gone"

    @property
    def identity(self) -> Identity:
        """Its process."""
        return Identity(self.pid, self.start_time, self.boot_id)


def runtime_folder() -> Path:
    """The folder, made if it is missing. Raises UserError if it cannot be used."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(base) / "brownout" if _is_ours(base) else Path(f"/tmp/brownout-{os.getuid()}")
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


def _is_ours(base: str) -> bool:
    """Whether it can be the runtime folder of this user: `sudo` keeps the variable of another one."""
    if not os.path.isabs(base):
        return False
    try:
        return os.stat(base).st_uid == os.getuid()
    except FileNotFoundError:
        return True  # it is made
    except OSError:
        return False


def socket_path() -> Path:
    """Where the control socket of this process is: a process has one stack. Raises UserError."""
    return runtime_folder() / f"{os.getpid()}.sock"


def announce(entry: Entry) -> Entry:
    """Write the file of a stack. Its name is `entry.name`, or with `-2` and so on where another stack has that name.

    Returns the entry with its name. Also where two do this at once, each has a name of its own. Raises UserError.
    """
    folder = Path(entry.socket).parent
    entries()  # removes what is left of others
    new = folder / f"{entry.pid}.new"
    names = (entry.name if number == 1 else f"{entry.name}-{number}" for number in itertools.count(1))
    try:
        for name in names:
            named = replace(entry, name=name)
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(asdict(named)))
            with contextlib.suppress(FileExistsError):
                os.link(new, folder / f"{name}{_SUFFIX}")  # all of it or nothing, and never over that of another
                return named
    except OSError as error:
        raise UserError(f"{folder} cannot be written to: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    raise AssertionError("there is always another name")


def withdraw(entry: Entry) -> None:
    """Remove the file and the socket of a stack. Idempotent; raises nothing."""
    _remove(Path(entry.socket).parent, entry)


def _remove(folder: Path, entry: Entry) -> None:
    paths = [folder / f"{entry.name}{_SUFFIX}"]
    if Path(entry.socket).parent == folder:  # a file that somebody wrote must not make us remove others
        paths.append(Path(entry.socket))
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def entries() -> list[Entry]:
    """The stacks that are up, by name. What is left of others is removed."""
    return sorted(_alive(), key=lambda entry: entry.name)


def _alive() -> Iterator[Entry]:
    folder = runtime_folder()
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            entry = msgspec.json.decode(read_regular(path), type=Entry)
        except (OSError, msgspec.DecodeError, RecursionError):
            continue  # it is none of ours
        if entry.name != path.stem:
            continue
        if entry.alive:
            yield entry
        else:
            _remove(folder, entry)


def find_entry(name: str | None = None) -> Entry:
    """The stack of this name; without one, the only stack that is up. Raises UserError."""
    found = entries()
    if not found:
        raise UserError("no stack is up and no experiment is running\n    start one: brownout up --stack multi-cloud")
    names = ", ".join(entry.name for entry in found)
    if name is not None:
        record = str(Path(name).absolute())
        chosen = next((entry for entry in found if entry.name == name or entry.folder == record), None)
        if chosen is None:
            raise UserError(f'no stack "{name}" is up\n    these are: {names}')
        return chosen
    if len(found) > 1:
        raise UserError(f"{len(found)} stacks are up: name one with --at\n    these are: {names}")
    return found[0]
