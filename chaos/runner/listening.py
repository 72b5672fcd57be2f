"""Whether a gateway listens, and at which addresses, from /proc: whether other machines can reach it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

__all__ = ["beyond_loopback", "listening_of", "refuses_connections"]

_LISTEN: Final = "0A"
_CONNECTS_WITHIN_S: Final = 0.5


def refuses_connections(url: str) -> bool:
    """Whether nothing listens at this URL. What does not answer within 0.5 s may be too busy: that is no refusal."""
    parts = urlsplit(url)
    address = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection(address, _CONNECTS_WITHIN_S).close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False


def beyond_loopback(pids: Iterable[int]) -> list[str]:
    """The addresses, as `0.0.0.0:8080`, at which these processes listen for other machines too."""
    found = {f"{_shown(address)}:{port}" for address, port in listening_of(pids) if not address.is_loopback}
    return sorted(found)


def listening_of(
    pids: Iterable[int], proc: Path = Path("/proc")
) -> Iterator[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    """Address and port of each TCP socket that these processes listen on. A process that is gone has none."""
    inodes = {inode for pid in pids for inode in _sockets(proc / str(pid) / "fd")}
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and fields[9] in inodes:
                    address, _, port = fields[1].rpartition(":")
                    yield _address(address), int(port, 16)


def _sockets(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """From the kernel's hexadecimal: 32-bit words in the machine's byte order (little endian on all that we run on)."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _shown(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
