"""Whether a process or a port listens, and at which addresses: whether other machines can reach a gateway.

From /proc. The addresses of a port are known whoever has it; those of a process, only where the user may look.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

__all__ = ["beyond_loopback", "listening_of", "port_beyond_loopback", "refuses_connections"]

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


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def beyond_loopback(pids: Iterable[int]) -> list[str]:
    """The addresses, as `0.0.0.0:8080`, at which these processes listen for other machines too."""
    return _others(listening_of(pids))


def port_beyond_loopback(port: int, proc: Path = Path("/proc")) -> list[str]:
    """The addresses, as `0.0.0.0:8080`, at which any process listens on this port for other machines too."""
    return _others((address, its_port) for address, its_port, _ in _listening(proc) if its_port == port)


def listening_of(pids: Iterable[int], proc: Path = Path("/proc")) -> Iterator[tuple[_Address, int]]:
    """Address and port of each TCP socket that these processes listen on. A process that is gone has none."""
    inodes = {inode for pid in pids for inode in _sockets(proc / str(pid) / "fd")}
    return ((address, port) for address, port, inode in _listening(proc) if inode in inodes)


def _others(listening: Iterable[tuple[_Address, int]]) -> list[str]:
    return sorted({f"{_shown(address)}:{port}" for address, port in listening if not address.is_loopback})


def _listening(proc: Path) -> Iterator[tuple[_Address, int, str]]:
    """Address, port and inode of each TCP socket that is listened on."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN:
                    address, _, port = fields[1].rpartition(":")
                    yield _address(address), int(port, 16), fields[9]


def _sockets(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]


def _address(text: str) -> _Address:
    """From the kernel's hexadecimal: 32-bit words in the machine's byte order (little endian on all that we run on)."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _shown(address: _Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
