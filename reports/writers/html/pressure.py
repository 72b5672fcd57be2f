"""Charts of overload: how long requests wait, and which calls are shed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.writers.html.canvas import Chart, Layer, series_of
from reports.writers.html.palette import OFFERED, SECOND, colours

__all__ = ["shed", "waits"]

Data = Mapping[str, Any]

NOTABLE_S: Final = 0.05
"""The chart of waits is left out if every p95 is below this, seconds."""


def waits(data: Data) -> Chart | None:
    """Waiting time at the gateway and in the queues of the replicas, p95 per second."""
    named = {
        "at the gateway": (series_of(data["timeline"]["gateway_wait_p95_s"]), SECOND),
        "in a replica's queue": (series_of(data["timeline"]["replica_queue_p95_s"]), OFFERED),
    }
    seen = {name: line for name, line in named.items() if max((v or 0.0 for v in line[0]), default=0.0) >= NOTABLE_S}
    if not seen:
        return None
    return Chart(
        150,
        "seconds",
        {f"c{number}": series for number, (series, _) in enumerate(seen.values())},
        [Layer("line", f"c{number}", colour) for number, (_, colour) in enumerate(seen.values())],
        [(f"{name} (s)", f"c{number}") for number, name in enumerate(seen)],
        [(colour, name) for name, (_, colour) in seen.items()],
        "95th percentile, by the second of arrival. Requests that left the queue unserved are not included.",
    )


def shed(data: Data) -> Chart | None:
    """Calls shed per second, by tier."""
    entries = [entry for entry in data["timeline"]["shed"] if any(entry["counts"])]
    if not entries:
        return None
    fills = colours(len(entries), warm=True)
    names = [entry["tier"] or "calls" for entry in entries]
    return Chart(
        140,
        "calls/s",
        {f"c{number}": series_of(entry["counts"]) for number, entry in enumerate(entries)},
        [Layer("bars", f"c{number}", colour) for number, colour in enumerate(fills)],
        [(name, f"c{number}") for number, name in enumerate(names)],
        [
            (colour, f"{name} ({sum(entry['counts']):,})")
            for colour, name, entry in zip(fills, names, entries, strict=True)
        ],
        "Calls that ended with status 429, or with 503 and a Retry-After header.",
    )
