"""What is left of a run that has ended: processes, ports, faults."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

from chaos.supervision.link import RUN_MARK
from chaos.supervision.undo import pending
from reports.shared.errors import BrownoutError

__all__ = ["listens", "members", "pending_faults", "ports"]


def members(folder: Path) -> list[int]:
    """The processes of a run that still exist: by their mark; shepherd and analysis by the folder in their command."""
    found = []
    mark, given = f"{RUN_MARK}={folder.name}/".encode(), str(folder).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                marked = mark in (entry / "environ").read_bytes() and not _of_namesake(entry, folder)
                if marked or given in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def _of_namesake(process: Path, folder: Path) -> bool:
    """Whether its log is that of another run, which began in the same second and has the same name."""
    log = os.readlink(process / "fd" / "1")
    return f"/{folder.name}/" in log and not log.startswith(f"{folder.resolve()}/")


def ports(folder: Path) -> list[int]:
    ports = []
    for path in (folder / "children").glob("*.json"):
        with contextlib.suppress(OSError, ValueError):
            config = json.loads(path.read_text())
            ports += [int(config[key]) for key in ("port", "control_port") if config.get(key)]
    return ports


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pending_faults(folder: Path) -> list[str]:
    try:
        return [fault.fault for fault in pending(folder / "undo.jsonl")]
    except (BrownoutError, OSError) as error:
        return [f"an unreadable file: {error}"]
