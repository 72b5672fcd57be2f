"""Which connections a control port drops: those that take too long, and the first ones where there are too many.

A connection belongs to a stranger until a request on it had the run's token; then it is an own connection.

    stranger    has `request_s` in all, and is dropped by newer strangers: the run's own processes always get through
    own         has `request_s` from the first byte of a request to its answer, and `idle_s` between requests

Strangers never take the place of own connections. Pure: the caller calls `PeerTable.sweep` at regular intervals.
Limits are counted in sweeps, so that time in which this process was stopped does not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Peer", "PeerTable", "PortLimits"]


@dataclass(frozen=True, slots=True)
class PortLimits:
    """The limits of a control port.

    `request_s`: from the first byte of a request (of a stranger: from the connection) until it is answered.
    `idle_s`: between two requests of an own connection. `sweep_s`: between two sweeps; connections are dropped at most
    this much too early. `strangers`, `own`: maximum number of connections.
    """

    request_s: float = 5.0
    idle_s: float = 600.0
    sweep_s: float = 0.5
    strangers: int = 256
    own: int = 512


class Peer:
    """One connection. `drop` closes it at once."""

    __slots__ = ("_busy", "_sweeps", "drop", "own")

    def __init__(self, drop: Callable[[], None]) -> None:
        self.drop = drop
        self.own = False
        self._busy = True
        self._sweeps = 0

    def received(self) -> None:
        """Bytes arrived. The first ones after an answer begin a request."""
        if not self._busy:
            self._busy = True
            self._sweeps = 0

    def answered(self) -> None:
        """A request is answered. A stranger's time goes on: after a refusal, its connection ends."""
        if self.own:
            self._busy = False
            self._sweeps = 0

    def renew(self) -> None:
        """The request in progress may take its time once more."""
        self._sweeps = 0

    def idle_sweeps(self) -> int:
        """Sweeps since the last answer; -1 while a request is in progress."""
        return -1 if self._busy else self._sweeps

    def swept(self) -> int:
        """Count one sweep. Returns the sweeps since the connection, the request or the last answer began."""
        self._sweeps += 1
        return self._sweeps


class PeerTable:
    """The connections of one port."""

    def __init__(self, limits: PortLimits) -> None:
        self._limits = limits
        self._request_sweeps = max(1, math.floor(limits.request_s / limits.sweep_s))
        self._idle_sweeps = max(1, math.floor(limits.idle_s / limits.sweep_s))
        self._strangers: dict[Peer, None] = {}
        self._own: dict[Peer, None] = {}

    def __len__(self) -> int:
        return len(self._strangers) + len(self._own)

    def admit(self, peer: Peer) -> Peer | None:
        """A new connection, of a stranger so far. Returns the connection to drop: the oldest of too many strangers."""
        self._strangers[peer] = None
        if len(self._strangers) <= self._limits.strangers:
            return None
        oldest = next(iter(self._strangers))
        del self._strangers[oldest]
        return oldest

    def trust(self, peer: Peer) -> Peer | None:
        """A request had the token. Returns the connection to drop: of too many own ones, the one idle for longest."""
        if peer.own or peer not in self._strangers:
            return None
        del self._strangers[peer]
        peer.own = True
        victim = None
        if len(self._own) >= self._limits.own:
            victim = max(self._own, key=Peer.idle_sweeps)
            del self._own[victim]
        self._own[peer] = None
        return victim

    def forget(self, peer: Peer) -> None:
        """The connection is closed."""
        self._strangers.pop(peer, None)
        self._own.pop(peer, None)

    def sweep(self) -> list[Peer]:
        """Count one sweep. Returns the connections to drop, which are forgotten."""
        late = [peer for peer in self._strangers if peer.swept() >= self._request_sweeps]
        for peer in self._own:
            limit = self._request_sweeps if peer.idle_sweeps() < 0 else self._idle_sweeps
            if peer.swept() >= limit:
                late.append(peer)
        for peer in late:
            self.forget(peer)
        return late
