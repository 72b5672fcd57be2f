"""Counts the TCP connections that were refused on this machine: what a gateway tried at a dead replica.

Nobody of ours sees such an attempt: the port has no process. The kernel counts them for the whole network namespace
(`AttemptFails` of /proc/net/snmp, RFC 4022), so the number is an upper bound: other programs are in it. Ours are not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["Refusals", "refused_here"]

_SNMP: Final = Path("/proc/net/snmp")


def refused_here(path: Path = _SNMP) -> int | None:
    """Connections refused or given up since the machine started; None where the kernel does not say."""
    try:
        rows = [line.split() for line in path.read_text().splitlines() if line.startswith("Tcp:")]
        return int(rows[1][rows[0].index("AttemptFails")])
    except (OSError, ValueError, IndexError):
        return None


class Refusals:
    """The refused connections of others, since the first `look`. `count`: the kernel's number."""

    def __init__(self, count: Callable[[], int | None] = refused_here) -> None:
        self._count = count
        self._from: int | None = None
        self._last_count: int | None = None
        self.own = 0
        """Connections of the runner that were refused: it asks dead replicas whether they are ready again."""

    def look(self) -> int | None:
        """The number, if it is the first one or has changed since the last `look`; else None."""
        now = self._count()
        if now is None:
            return None
        if self._from is None:
            self._from = now - self.own
        others = max(0, now - self.own - self._from)
        if others == self._last_count:
            return None
        self._last_count = others
        return others
