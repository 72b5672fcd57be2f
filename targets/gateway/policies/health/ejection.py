"""Outlier ejection (Envoy): ejects a replica with consecutive failures, with a success rate far below the others, or
with many times their time per token (`slowness`).

Ejection time: `base_s x number of ejections`, at most `max_s`. The number falls by one with each sweep in which the
replica is healthy. At most a share of the replicas is ejected at once, but one always may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from statistics import fmean, pstdev

from targets.gateway.config import Ejection, Upstream
from targets.gateway.policies.health.slowness import SlowOutliers

__all__ = ["OutlierEjection"]


@dataclass(slots=True)
class _Host:
    consecutive_failures: int = 0
    ejections: int = 0
    until: float | None = None
    succeeded: int = 0
    total: int = 0


class OutlierEjection:
    """All replicas of a gateway. Times in seconds on the caller's clock."""

    def __init__(self, config: Ejection, upstreams: Sequence[Upstream], now: float = 0.0) -> None:
        self.config = config
        self._hosts = {upstream.name: _Host() for upstream in upstreams}
        self.slow = SlowOutliers(config, {upstream.name: upstream for upstream in upstreams})
        self._max_ejected = max(1, floor(config.max_share * len(upstreams)))
        self._next_sweep = now + config.sweep_s

    def ejected(self, name: str) -> bool:
        """Whether it is ejected now. Call `advance` first."""
        return self._hosts[name].until is not None

    def until(self, name: str) -> float | None:
        """When it is readmitted; None: not ejected."""
        return self._hosts[name].until

    def record(self, now: float, name: str, failed: bool) -> str | None:
        """A request ended. Returns the reason if this ejects the replica, else None."""
        host = self._hosts[name]
        if host.until is not None:
            return None  # requests from before the ejection do not count
        host.total += 1
        if not failed:
            host.succeeded += 1
            host.consecutive_failures = 0
            return None
        host.consecutive_failures += 1
        if host.consecutive_failures < self.config.consecutive_failures:
            return None
        return self._eject(now, name, f"{host.consecutive_failures} consecutive failures")

    def advance(self, now: float) -> tuple[list[str], list[tuple[str, str]]]:
        """Time passed. Returns (readmitted replicas, [(ejected replica, reason)])."""
        back = []
        for name, host in self._hosts.items():
            if host.until is not None and now >= host.until:
                host.until = None
                back.append(name)
        out: list[tuple[str, str]] = []
        if now >= self._next_sweep:
            self._next_sweep = now + self.config.sweep_s
            out = self._sweep(now, back)
        return back, out

    def readmit(self, name: str) -> bool:
        """Ends an ejection at once, for example after a successful probe. Returns False if it was not ejected."""
        host = self._hosts[name]
        if host.until is None:
            return False
        host.until = None
        return True

    def _eject(self, now: float, name: str, why: str) -> str | None:
        host = self._hosts[name]
        if sum(other.until is not None for other in self._hosts.values()) >= self._max_ejected:
            return None
        self.slow.forget(name)
        host.ejections += 1
        host.consecutive_failures = 0
        eject_s = min(self.config.base_s * host.ejections, self.config.max_s)
        host.until = now + eject_s
        return f"{why}; ejected for {eject_s:g} s"

    def _sweep(self, now: float, back: list[str]) -> list[tuple[str, str]]:
        for name, host in self._hosts.items():
            healthy = not host.consecutive_failures and not self.slow.suspect(name)
            if host.until is None and host.ejections and healthy and name not in back:
                host.ejections -= 1
        out = self._low_success_rates(now)
        for name, slow in self.slow.sweep():
            why = self._eject(now, name, slow) if self._hosts[name].until is None else None
            if why:
                out.append((name, why))
        for host in self._hosts.values():
            host.succeeded = host.total = 0
        return out

    def _low_success_rates(self, now: float) -> list[tuple[str, str]]:
        config = self.config
        busy = {
            name: host
            for name, host in self._hosts.items()
            if host.until is None and host.total >= config.success_rate_min_requests
        }
        if not config.success_rate_min_hosts or len(busy) < config.success_rate_min_hosts:
            return []
        rates = {name: host.succeeded / host.total for name, host in busy.items()}
        bar = fmean(rates.values()) - config.success_rate_sigmas * pstdev(rates.values())
        out = []
        for name, rate in rates.items():
            if rate < bar:
                why = self._eject(now, name, f"success rate {rate:.0%}, below the limit of {bar:.0%}")
                if why:
                    out.append((name, why))
        return out
