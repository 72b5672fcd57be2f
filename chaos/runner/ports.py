"""Free loopback ports that stay free: outside the range that the kernel gives to outgoing connections.

A replica must come back on its old port after a kill. Were that port in the ephemeral range (ip(7),
`ip_local_port_range`), an outgoing connection of anybody's could have taken it in between.

Runs side by side must not choose the same one in the second before their servers listen: a port is claimed by the name
of an abstract Unix socket (unix(7)), which one process can hold, and which goes with it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
from pathlib import Path

from reports.shared.errors import UserError

__all__ = ["check_free", "free_ports", "holder"]

LOWEST_PORT = 10_000
"""Below it are the ports that people choose by hand, and the well-known ones."""

_SYSCTL = Path("/proc/sys/net/ipv4")
_LISTEN = "0A"
_claims: dict[int, socket.socket] = {}
"""The ports that this process was given, until its end."""


def _ephemeral() -> range:
    low, high = (_SYSCTL / "ip_local_port_range").read_text().split()
    return range(int(low), int(high) + 1)


def _reserved() -> set[int]:
    ports: set[int] = set()
    with contextlib.suppress(OSError):
        for part in (_SYSCTL / "ip_local_reserved_ports").read_text().strip().split(","):
            low, _, high = part.partition("-")
            if low:
                ports.update(range(int(low), int(high or low) + 1))
    return ports


def _candidates() -> list[int]:
    try:
        ephemeral = _ephemeral()
    except (OSError, ValueError):
        ephemeral = range(32_768, 61_000)  # Linux's default
    reserved = _reserved()
    outside = [port for port in range(LOWEST_PORT, 65_536) if port not in ephemeral and port not in reserved]
    # A machine whose range is nearly everything: below 10,000 there is room, if with neighbours.
    return outside or [port for port in range(1_024, LOWEST_PORT) if port not in ephemeral and port not in reserved]


def _can_bind(port: int) -> bool:
    # Without SO_REUSEADDR: a port with connections in TIME_WAIT is not taken either.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _claim(port: int) -> bool:
    if port in _claims:
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0brownout-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


def free_ports(count: int, rng: random.Random | None = None) -> list[int]:
    """`count` different TCP ports that nobody holds on 127.0.0.1 now, in random order, outside the ephemeral range.
    No other process is given them while this one lives.

    `rng` is for tests: two runs that start at once should not draw the same. Raises UserError where there are not so
    many.
    """
    candidates = _candidates()
    (rng or random.SystemRandom()).shuffle(candidates)
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            break
        if _can_bind(port) and _claim(port):
            found.append(port)
    if len(found) < count:
        raise UserError(
            f"{count} free ports are needed and {len(found)} were found outside the kernel's ephemeral range. "
            "Narrow the range (sysctl net.ipv4.ip_local_port_range), or end what holds the ports"
        )
    return found


def check_free(port: int) -> None:
    """Raises UserError, naming who holds it where /proc tells, if a server could not listen on 127.0.0.1:`port`."""
    if not 1 <= port <= 65_535:
        raise UserError(f"port {port}: a port is a number from 1 to 65535")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        # As servers do it: what is left of old connections does not matter.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
            tried.listen()
        except OSError as error:
            if error.errno == errno.EACCES:
                raise UserError(f"port {port}: only root may listen there; choose one from 1024 on") from error
            if error.errno != errno.EADDRINUSE:
                raise UserError(f"port {port}: {error.strerror}") from error
            who = holder(port)
            raise UserError(
                f"port {port} is in use{f' by {who}' if who else ''}. End that process, or choose another port"
            ) from error


def holder(port: int) -> str | None:
    """Who holds a TCP port of this machine, as `process 7 (python -m http.server)`; None where /proc does not tell."""
    inodes = _socket_inodes(port)
    if not inodes:
        return None
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                for fd in os.scandir(f"/proc/{entry}/fd"):
                    if os.readlink(fd.path) in inodes:
                        words = Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace").split("\0")
                        return f"process {entry} ({' '.join(words).strip()[:120]})"
    return None


def _socket_inodes(port: int) -> set[str]:
    listening: set[str] = set()
    connected: set[str] = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port:
                    (listening if fields[3] == _LISTEN else connected).add(f"socket:[{fields[9]}]")
    return listening or connected
