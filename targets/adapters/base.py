"""What an adapter is: a real gateway, how it is installed and configured, and what its own statistics say.

An adapter decides nothing and starts nothing: it returns texts, arguments and numbers. `install.py` installs a gateway;
the runner writes the files, starts the command, and reads the statistics.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

__all__ = [
    "INHERITED",
    "LOOPBACK",
    "MAX_BODY_MB",
    "Adapter",
    "AdminPage",
    "Debian",
    "Install",
    "Installation",
    "LogFile",
    "Npm",
    "Pip",
    "Site",
    "Statistics",
    "Upstream",
    "UpstreamState",
    "whole_environment",
    "whole_lines",
]

LOOPBACK: Final = "127.0.0.1"
"""The only address at which a gateway may listen."""

INHERITED: Final = frozenset(("PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "SSL_CERT_FILE", "SSL_CERT_DIR"))
"""The variables that a gateway inherits, beside `LC_*`."""

MAX_BODY_MB: Final = 64
"""The largest request body that a gateway must accept, in MiB: conversations of agents are long."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A replica behind the gateway. `url`: of its API, without `/v1`, as `http://127.0.0.1:18101`."""

    name: str
    url: str
    pool: str

    @property
    def address(self) -> str:
        """Host and port, as `127.0.0.1:18101`. Raises ValueError for a URL without a port."""
        return f"{self.host}:{self.port}"

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the URL. Raises ValueError if it has none."""
        port = urlsplit(self.url).port
        if port is None:
            raise ValueError(f"{self.url} has no port")
        return port


@dataclass(frozen=True, slots=True)
class Site:
    """Where a gateway is to run.

    `port`: its API; `admin_port`: its statistics, if it has an admin page. `folder`: where its files are written, and
    the only place where it may write. `model`: the model's name at the replicas, which clients send too. `preset`: one
    of the adapter's. `as_root`: whether it will be started as root.
    """

    upstreams: tuple[Upstream, ...]
    port: int
    admin_port: int
    folder: Path
    model: str
    preset: str
    as_root: bool = field(default_factory=lambda: os.geteuid() == 0)

    def file(self, name: str) -> str:
        """The path of a file in the folder, as text."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Pip:
    """Python packages, installed into a virtual environment of their own.

    `requirements` are pinned (`litellm[proxy]==1.108.7`). `pythons`: the first version of Python that they run with,
    and the first later one that they do not, as `((3, 10), (3, 15))`.
    """

    requirements: tuple[str, ...]
    pythons: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Debian:
    """Packages of Debian. The suite of the machine decides their version."""

    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Npm:
    """A package of npm. `overrides`: versions of nested packages, where a plain pin leaves another one nested."""

    package: str
    version: str
    overrides: Mapping[str, str] = field(default_factory=dict)


Install = Pip | Debian | Npm


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed gateway.

    `program`: absolute path of what is started. `folder`: None if the gateway was found on this machine and not
    installed by brownout. `libraries`: folders for `LD_LIBRARY_PATH`.
    """

    program: Path
    version: str
    folder: Path | None = None
    libraries: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment (`Pip` only)."""
        return self.program.parent / "python"

    def environment(self) -> dict[str, str]:
        """The variables with which the program finds the libraries that were installed with it."""
        return {"LD_LIBRARY_PATH": os.pathsep.join(self.libraries)} if self.libraries else {}


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """What a gateway's own statistics say of one replica. None: it does not tell.

    `attempts`: calls that it tried to send there, those that were refused too. `refused`: those among them for which it
    got no TCP connection, so that the replica cannot have seen them; an attempt on a connection that was kept open and
    ends without an answer is not counted. `available`: whether it may be chosen now.
    """

    attempts: int | None = None
    refused: int | None = None
    available: bool | None = None


Parser = Callable[[Site, str], Mapping[str, UpstreamState]]


@dataclass(frozen=True, slots=True)
class AdminPage:
    """Statistics at `path` of the admin port. `parse` returns cumulative numbers by the names of upstreams.

    `parse` raises ValueError if the text is no such page. `exact`: whether `refused` is; if not, it may be too low.
    """

    path: str
    parse: Parser
    exact: bool = True


@dataclass(frozen=True, slots=True)
class LogFile:
    """Statistics in a log, a file in the site's folder. `parse` returns the increments that new lines contain.

    Give it whole lines (`whole_lines`). Lines that are none of the gateway's are skipped. `exact`: as of `AdminPage`.
    """

    name: str
    parse: Parser
    exact: bool = True


Statistics = AdminPage | LogFile


class Adapter(Protocol):
    """A real gateway. Its class attributes are facts, its methods are pure.

    An adapter is a subclass: it writes what has no default here, and what differs from the default.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[str]
    """The version that it was tested with, and that is installed where brownout can choose."""
    docs: ClassVar[str]
    """The address of its documentation."""
    license: ClassVar[str]
    size_mb: ClassVar[int]
    """Disk space of an installation, in MB."""
    install: ClassVar[Install]
    program: ClassVar[str]
    """What is started, as a path or pattern below the folder of an installation: `usr/sbin/nginx`."""
    presets: ClassVar[Mapping[str, str]]
    """A sentence by the name of each preset. `default`: what the documentation gives a newcomer. `tuned`: the best
    settings that are known."""
    apis: ClassVar[frozenset[str]]
    """The APIs that it passes on: `openai`, `anthropic`."""
    ready: ClassVar[str] = "/brownout-ready"
    """A path of the API's port that answers 200 once the gateway serves."""
    ready_within_s: ClassVar[float]
    """How long its start may take on a busy machine, in seconds."""
    statistics: ClassVar[Statistics | None] = None

    def files(self, site: Site) -> Mapping[str, str]:
        """The texts of its files by their paths in the site's folder. A path that ends in `/` is an empty folder."""

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        """The arguments that start it in the foreground. SIGTERM ends it."""

    def environment(self, site: Site) -> Mapping[str, str]:
        """Environment variables that it needs; none by default. See `whole_environment`."""
        return {}

    def headers(self, site: Site) -> Mapping[str, str]:
        """Headers that clients must send; none by default."""
        return {}

    def version_command(self, installed: Installation) -> Sequence[str]:
        """The arguments that print its version, within seconds; by default, the option `--version` of the program."""
        return [str(installed.program), "--version"]

    def version_in(self, output: str) -> str | None:
        """The version in the output of that command, by default the first number with a point. None without one."""
        found = re.search(r"\d+\.\d+[\w.]*", output)
        return found[0] if found else None


def whole_environment(
    adapter: Adapter, site: Site, installed: Installation, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a gateway's process: of what it would inherit only `INHERITED` and `LC_*`, and what it needs.

    Other variables of the user's may be settings of the gateway's own, a database, or keys.
    """
    kept = {name: value for name, value in inherited.items() if name in INHERITED or name.startswith("LC_")}
    return {**kept, **installed.environment(), **adapter.environment(site)}


def whole_lines(data: str) -> tuple[str, str]:
    """Divides what was read of a growing file into its whole lines and the beginning of the next one."""
    lines, newline, rest = data.rpartition("\n")
    return lines + newline, rest
