"""Session affinity with bounded load (Mirrokni et al., Consistent Hashing with Bounded Loads; HAProxy
`hash-balance-factor`).

A session's home is where it was last served: there its prefix is cached. When the home is ill or full, the session is
placed anew, once, and stays there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from reports.shared.draws import bits
from targets.gateway.config import Affinity
from targets.gateway.policies.balancing.balancing import C

__all__ = ["Home", "Ring", "SessionAffinity"]

_POINTS = 128  # a replica: the shares of six replicas then differ by about 9 %


@dataclass(slots=True)
class Home:
    """Where a session was last served, when, and how many tokens of it should be cached there."""

    replica: str
    at: float
    cached_tokens: int


class Ring:
    """A consistent hash ring over replica names. Fixed by the names alone, so it survives a restart of the gateway."""

    def __init__(self, names: Sequence[str]) -> None:
        points = sorted((bits(f"{name}#{point}"), name) for name in names for point in range(_POINTS))
        self._hashes = [at for at, _ in points]
        self._names = [name for _, name in points]

    def order(self, key: str) -> list[str]:
        """The replicas in the order in which a walk from `key`'s point meets them."""
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
        """The session's home, unless it is too old to be worth anything."""
        home = self._homes.get(key)
        if home is not None and now - home.at > self._config.idle_s:
            del self._homes[key]
            return None
        return home

    def served(self, now: float, key: str, replica: str, cached_tokens: int) -> None:
        """`replica` computed the session's prompt: it lives there from now on."""
        home = self._homes.get(key)
        if home is None:
            self._homes[key] = Home(replica, now, cached_tokens)
            if len(self._homes) > self._config.max_sessions:
                self._homes.popitem(last=False)
            return
        home.replica, home.at, home.cached_tokens = replica, now, cached_tokens
        self._homes.move_to_end(key)

    def forget_replica(self, replica: str) -> None:
        """Its cache may be gone: sessions that have not moved keep it as their home, with nothing cached."""
        for home in self._homes.values():
            if home.replica == replica:
                home.cached_tokens = 0

    def cap(self, in_flight: int, replicas: int) -> int:
        """Requests in flight at which a replica is full, the one to be placed included in the total."""
        return max(self._config.min_cap, ceil((1.0 + self._config.epsilon) * (in_flight + 1) / replicas))

    def walk(self, key: str, candidates: Sequence[C]) -> C:
        """The first of `candidates` on the ring from `key`'s point on."""
        by_name = {candidate.name: candidate for candidate in candidates}
        return next(by_name[name] for name in self._ring.order(key) if name in by_name)
