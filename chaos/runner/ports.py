"""Free loopback ports that stay free for a run: outside the kernel's range for outgoing connections.

A replica must get its old port again after a kill. If that port were in the ephemeral range (ip(7),
`ip_local_port_range`), an outgoing connection of any process could take it meanwhile.

Two concurrent runs must not choose the same port before their servers listen. A port is claimed by binding an abstract
Unix socket (unix(7)) with its name: only one process can hold it, and the kernel releases it when the process exits.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
from collections.abc import Collection, Iterator
from pathlib import Path

from reports.shared.errors import UserError

__all__ = ["check_free", "claim_ports", "ephemeral_warning", "free_ports", "holder", "listeners"]

LOWEST_PORT = 10_000
"""Lower ports are well-known, or often chosen by users."""

_SYSCTL = Path("/proc/sys/net/ipv4")
_LISTEN = "0A"
_claims: dict[int, socket.socket] = {}
"""The ports claimed by this process, until it exits."""


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
    # If the ephemeral range covers nearly everything: ports below 10,000.
    return outside or [port for port in range(1_024, LOWEST_PORT) if port not in ephemeral and port not in reserved]


def _can_bind(port: int) -> bool:
    # Without SO_REUSEADDR, so that a port with connections in TIME_WAIT counts as in use.
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


def ephemeral_warning(first: int, count: int) -> str:
    """A sentence where some of these ports are in the kernel's range for outgoing connections; "" elsewhere."""
    try:
        ephemeral = _ephemeral()
    except (OSError, ValueError):
        return ""
    last = first + count - 1
    if last < ephemeral.start or first >= ephemeral.stop or set(range(first, last + 1)) <= _reserved():
        return ""
    below = ephemeral.start - count
    remedy = f"choose a first port from {LOWEST_PORT} to {below}" if below >= LOWEST_PORT else "choose lower ports"
    return (
        f"any outgoing connection of this machine can take one of the ports {first} to {last} while a replica is down: "
        f"the kernel gives out {ephemeral.start} to {ephemeral.stop - 1}; {remedy}"
    )


def free_ports(count: int, rng: random.Random | None = None, *, without: Collection[int] = ()) -> list[int]:
    """Different TCP ports that are free on 127.0.0.1, in random order, outside the ephemeral range.

    No other process gets them from this function until this one exits. `rng`: for tests. `without`: ports that a server
    will use later. Raises UserError if there are fewer than `count`.
    """
    candidates = [port for port in _candidates() if port not in without]
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
            "Narrow the range (sysctl net.ipv4.ip_local_port_range), or end the processes that use the ports"
        )
    return found


def claim_ports(first: int, count: int) -> None:
    """Claim the ports from `first` on until this process exits, as `free_ports` does. Raises UserError.

    A stack that is up has claimed its ports also while a replica of it is down.
    """
    for port in range(first, first + count):
        check_free(port)
        if not _claim(port):
            raise UserError(
                f"port {port} belongs to another stack of brownout, which is starting, or whose replica is down\n"
                "    choose other ports, or end that stack: brownout status shows it"
            )


def check_free(port: int) -> None:
    """Raises UserError if a server cannot listen on 127.0.0.1:`port`; it names the process that uses the port."""
    if not 1 <= port <= 65_535:
        raise UserError(f"port {port}: a port is a number from 1 to 65535")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        # With SO_REUSEADDR, as servers do: old connections in TIME_WAIT do not matter.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
            tried.listen()
        except OSError as error:
            if error.errno == errno.EACCES:
                raise UserError(f"port {port}: only root may listen on it; choose a port from 1024") from error
            if error.errno != errno.EADDRINUSE:
                raise UserError(f"port {port}: {error.strerror}") from error
            process = holder(port)
            raise UserError(
                f"port {port} is in use{f' by {process}' if process else ''}. End that process, or choose another port"
            ) from error


def holder(port: int) -> str | None:
    """The process that uses a TCP port, as `process 7 (python -m http.server)`. None if /proc does not show it."""
    listening, connected = _socket_inodes(port)
    for pid in _holders(listening or connected):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            return f"process {pid} ({' '.join(words).strip()[:120]})"
    return None


def listeners(port: int) -> list[int]:
    """The processes that listen on a TCP port, such as a master and its workers; those that /proc shows."""
    listening, _ = _socket_inodes(port)
    return list(_holders(listening))


def _holders(inodes: set[str]) -> Iterator[int]:
    """The processes that have one of these sockets open."""
    for entry in os.listdir("/proc") if inodes else ():
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if any(os.readlink(fd.path) in inodes for fd in os.scandir(f"/proc/{entry}/fd")):
                    yield int(entry)


def _socket_inodes(port: int) -> tuple[set[str], set[str]]:
    """The sockets that listen on a port, and those that are connected to or from it."""
    listening: set[str] = set()
    connected: set[str] = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port:
                    (listening if fields[3] == _LISTEN else connected).add(f"socket:[{fields[9]}]")
    return listening, connected
