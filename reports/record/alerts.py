"""The alerts of the user's monitoring in a record: when each began to fire and was resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Alert", "Alerts", "alerts_of"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One change of an alert. `at_s`: when it was received; `starts_s`: since when it fires, as the sender says, None
    where it does not say. Seconds since zero.
    """

    name: str
    firing: bool
    labels: Mapping[str, str]
    at_s: float
    starts_s: float | None
    fingerprint: str

    def since_s(self) -> float:
        """Since when it fires, at the latest: it may have been sent later than it began."""
        return self.at_s if self.starts_s is None else min(self.at_s, self.starts_s)


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alerts of a run. `received`: whether a receiver was open. `port`: its port. `match`: labels of the alerts
    that count. `left_out`, `refused`: changes that were not written, and requests that were no alerts.
    """

    received: bool = False
    port: int | None = None
    match: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Alert, ...] = ()
    left_out: int = 0
    refused: int = 0

    def counts(self, alert: Alert) -> bool:
        """Whether it has all labels of `match`."""
        return all(alert.labels.get(name) == value for name, value in self.match.items())

    @property
    def fired(self) -> list[Alert]:
        """Each time that an alert that counts began to fire."""
        return [alert for alert in self.changes if alert.firing and self.counts(alert)]

    def resolved_s(self, alert: Alert) -> float | None:
        """When an alert that fires was resolved, at the latest when it began to fire again; None: not in this run."""
        later = [one for one in self.changes if one.fingerprint == alert.fingerprint and one.at_s >= alert.at_s]
        ends = (one.since_s() if one.firing else one.at_s for one in later if one is not alert)
        return min((at_s for at_s in ends if at_s >= alert.since_s()), default=None)


def alerts_of(events: Iterable[Mapping[str, Any]], experiment: Mapping[str, Any], zero_ns: int) -> Alerts:
    """The alerts of a record. `experiment`: the resolved one."""
    changes: list[Alert] = []
    facts: dict[str, Any] = {}
    for event in events:
        if event.get("type") == "alert_port":
            facts.update(event)
        elif event.get("type") == "alert":
            starts = event.get("starts_at")
            changes.append(
                Alert(
                    name=str(event["name"]),
                    firing=event["status"] == "firing",
                    labels=event.get("labels") or {},
                    at_s=(event["at"] - zero_ns) / 1e9,
                    starts_s=(starts - zero_ns) / 1e9 if isinstance(starts, int) else None,
                    fingerprint=str(event.get("fingerprint") or ""),
                )
            )
    given = experiment.get("alerts")
    match = given.get("match") if isinstance(given, Mapping) else None
    return Alerts(
        received=bool(facts),
        port=facts.get("port"),
        match={str(name): str(value) for name, value in match.items()} if isinstance(match, Mapping) else {},
        changes=tuple(changes),
        left_out=int(facts.get("left_out") or 0),
        refused=int(facts.get("refused") or 0),
    )
