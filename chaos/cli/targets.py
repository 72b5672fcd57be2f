"""`brownout targets`: the gateways that can stand in front of the simulated replicas.

brownout targets                                  which there are, and which are installed
brownout targets install NAME                     installs one into the user's cache folder
brownout targets config NAME[:PRESET] --stack S   the files and the command that would be used
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from chaos.cli.console import error_line, open_console
from reports.shared.errors import UserError
from targets.adapters.base import LOOPBACK, Adapter, Site, Upstream, whole_environment
from targets.adapters.cache import installed, planned, version_note
from targets.adapters.catalogue import ADAPTERS, find_adapter, parse_choice
from targets.adapters.install import install
from targets.stack import Stack, load_stack

__all__ = ["install_target", "print_config", "print_targets", "upstreams_of"]

_LAST_PORT = 65535


def print_targets(*, as_json: bool) -> None:
    """Print all gateways as a table, or as JSON."""
    rows = [_facts(adapter) for adapter in ADAPTERS.values()]
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("gateway", "version", "installed", "size", "presets", "APIs", "documentation"):
        table.add_column(heading, no_wrap=heading == "gateway")
    for row in rows:
        table.add_row(
            row["name"],
            row["version"],
            _installed_cell(row),
            f"{row['size_mb']} MB",
            ", ".join(row["presets"]),
            ", ".join(row["apis"]),
            row["docs"],
        )
    console = open_console()
    console.print(table)
    console.print()
    hint = "brownout targets install NAME: install one; brownout targets config NAME:PRESET --stack STACK: its files"
    console.print(Text(hint, style="dim"))


def _facts(adapter: Adapter) -> dict[str, Any]:
    found = installed(adapter)
    return {
        "name": adapter.name,
        "title": adapter.title,
        "version": adapter.version,
        "installed": found is not None,
        "installed_version": found.version if found else None,
        "program": str(found.program) if found else None,
        "size_mb": adapter.size_mb,
        "license": adapter.license,
        "installed_by": type(adapter.install).__name__.lower(),
        "presets": dict(adapter.presets),
        "apis": sorted(adapter.apis, reverse=True),
        "docs": adapter.docs,
    }


def _installed_cell(row: dict[str, Any]) -> str:
    if not row["installed"]:
        return "no"
    return "yes" if row["installed_version"] == row["version"] else f"{row['installed_version']}, {row['program']}"


def install_target(name: str) -> int:
    """Install a gateway; say where it is and how to start it. Returns exit code 0. Raises UserError, TargetFailed."""
    adapter = find_adapter(name)
    console = open_console()
    before = installed(adapter)
    made = before or install(adapter, lambda text: console.print(Text(f"{adapter.name}: {text}")))
    if note := version_note(adapter, made):
        error_line(note)
    word = "was installed already" if before else "is installed"
    console.print(Text(f"{adapter.name} {made.version} {word}: {made.program}"), soft_wrap=True)
    words = [f"{name}={value}" for name, value in made.environment().items()]
    command = shlex.join([*(["env", *words] if words else []), str(made.program)])
    console.print(Text(f"to start it by hand, add its options to: {command}"), soft_wrap=True)
    return 0


def print_config(choice: str, *, stack: str, first_port: int, port: int, folder: Path) -> None:
    """Print the files, the environment and the command of `NAME[:PRESET]` in front of a stack's replicas.

    The replicas have the ports from `first_port`, the gateway has `port`, and `port` + 1 for its statistics. Works
    without an installation: the command then has the path that an installation will have. Raises UserError.
    """
    adapter, preset = parse_choice(choice)
    loaded = load_stack(stack)
    upstreams = upstreams_of(loaded, first_port)
    _check_ports({port, port + 1}, {upstream.port for upstream in upstreams})
    site = Site(upstreams, port, port + 1, folder, loaded.model, preset)
    found = installed(adapter)
    if found is None:
        error_line(f"{adapter.name} is not installed. To install it: brownout targets install {adapter.name}")
    elif note := version_note(adapter, found):
        error_line(note)
    program = found or planned(adapter)
    environment = whole_environment(adapter, site, program, inherited={})
    for name, text in adapter.files(site).items():
        print(_heading(site.file(name) + ("/ (an empty folder)" if name.endswith("/") else "")))
        print(text, end="")
    print(_heading("command"))
    kept = " ".join(f'{name}="${name}"' for name in ("PATH", "HOME") if name not in environment)
    words = [f"{name}={value}" for name, value in environment.items()]
    print(f"env -i {kept} {shlex.join([*words, *adapter.command(site, program)])}")
    for name, value in adapter.headers(site).items():
        print(_heading("header that clients must send"))
        print(f"{name}: {value}")


def _heading(text: str) -> str:
    return f"# ---- {text}"


def upstreams_of(stack: Stack, first_port: int) -> tuple[Upstream, ...]:
    """The replicas of a stack on successive ports, in the order of its file. Raises UserError if they do not fit."""
    last = first_port + len(stack.replicas) - 1
    if last > _LAST_PORT:
        raise UserError(
            f"{len(stack.replicas)} replicas from port {first_port} need ports up to {last}: use a lower port"
        )
    return tuple(
        Upstream(replica.name, f"http://{LOOPBACK}:{first_port + n}", replica.pool)
        for n, replica in enumerate(stack.replicas)
    )


def _check_ports(gateway: set[int], replicas: set[int]) -> None:
    if max(gateway) > _LAST_PORT:
        raise UserError(f"port {max(gateway)}, for the gateway's statistics, does not exist: use a lower --port")
    if taken := sorted(gateway & replicas):
        raise UserError(
            f"port {taken[0]} would be of the gateway and of a replica\n"
            f"    replicas have the ports {min(replicas)} to {max(replicas)}; the gateway has --port and the next one"
        )
