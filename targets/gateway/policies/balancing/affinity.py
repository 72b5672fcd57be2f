"""Session affinity with bounded load (Mirrokni et al., Consistent Hashing with Bounded Loads; HAProxy
`hash-balance-factor`).

A session's home is the replica that served it last, because its prefix is cached there. When the home is unhealthy or
full, the session gets a new home and stays there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from reports.shared.draws import bits
from targets.gateway.config import Affinity
from targets.gateway.policies.balancing.balancer import C

__all__ = ["Home", "Ring", "SessionAffinity"]

_POINTS = 128  # per replica: the shares of six replicas then differ by about 9 %


@dataclass(slots=True)
class Home:
    """The replica that served a session last, when, and the tokens of it that should be cached there."""

    replica: str
    at: float
    cached_tokens: int


class Ring:
    """A consistent hash ring over replica names. It depends on the names alone, so a gateway restart keeps it."""

    def __init__(self, names: Sequence[str]) -> None:
        points = sorted((bits(f"{name}#{point}"), name) for name in names for point in range(_POINTS))
        self._hashes = [at for at, _ in points]
        self._names = [name for _, name in points]

    def order(self, key: str) -> list[str]:
        """Returns the replicas in the order of a walk along the ring from `key`'s point."""
        start = bisect_right(self._hashes, bits(key))
        return list(dict.fromkeys(self._names[start:] + self._names[:start]))


class SessionAffinity:
    """Homes of sessions, and the bound on load."""

    def __init__(self, config: Affinity, names: Sequence[str]) -> None:
        self._config = config
        self._ring = Ring(names)
        self.placement = config.placement
        self.over_limit = config.over_limit
        self._homes: OrderedDict[str, Home] = OrderedDict()

    def __len__(self) -> int:
        return len(self._homes)

    def home(self, now: float, key: str) -> Home | None:
        """Returns the session's home, or None if it has none or was idle for longer than `idle_s`."""
        home = self._homes.get(key)
        if home is not None and now - home.at > self._config.idle_s:
            del self._homes[key]
            return None
        return home

    def served(self, now: float, key: str, replica: str, cached_tokens: int) -> None:
        """`replica` computed the session's prompt: it is the session's home from now on."""
        home = self._homes.get(key)
        if home is None:
            self._homes[key] = Home(replica, now, cached_tokens)
            if len(self._homes) > self._config.max_sessions:
                self._homes.popitem(last=False)
            return
        home.replica, home.at, home.cached_tokens = replica, now, cached_tokens
        self._homes.move_to_end(key)

    def forget_replica(self, replica: str) -> None:
        """The replica's cache may be lost: it stays the home of its sessions, with nothing cached."""
        for home in self._homes.values():
            if home.replica == replica:
                home.cached_tokens = 0

    def cap(self, in_flight: int, replicas: int) -> int:
        """Returns the requests in flight at which a replica is full. The total includes the new request."""
        return max(self._config.min_cap, ceil((1.0 + self._config.epsilon) * (in_flight + 1) / replicas))

    def walk(self, key: str, candidates: Sequence[C]) -> C:
        """Returns the first of `candidates` on the ring after `key`'s point."""
        by_name = {candidate.name: candidate for candidate in candidates}
        return next(by_name[name] for name in self._ring.order(key) if name in by_name)
