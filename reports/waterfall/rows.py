"""A call's spans as the rows of a waterfall: pure, the same for the terminal and the page.

Made of what `reports.waterfall.data` tells about a call: the entries of `failovers` in `report.json`. Times are seconds
since the start of the load.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = ["FaultWindow", "Kind", "Row", "Told", "Window", "counts_tokens", "fault_windows", "rows_of", "window_of"]

Told = Mapping[str, Any]
"""A call as `report.json` tells it: header and `spans`, a tree laid out depth first."""

Kind = Literal[
    "call", "client", "gateway", "decision", "attempt", "replica", "queue", "prefill", "decode", "missing", "span"
]

_KINDS: Final[dict[str, Kind]] = {
    names.SPAN_GATEWAY_REQUEST: "gateway",
    names.SPAN_REPLICA_REQUEST: "replica",
    names.SPAN_REPLICA_QUEUE: "queue",
    names.SPAN_REPLICA_PREFILL: "prefill",
    names.SPAN_REPLICA_DECODE: "decode",
}
_ORDER: Final[dict[Kind, int]] = {"queue": 1, "prefill": 2, "decode": 3}
"""Of spans that began at the same time."""

_ZOOM_BELOW: Final = 0.12
"""A failover shorter than this share of its call is shown enlarged."""


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """When a fault was on: from its injection to its revert. `end_s` is infinite where it was never reverted."""

    id: str
    kind: str
    targets: tuple[str, ...]
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that is drawn; `zoomed`: the call itself is longer."""

    start_s: float
    end_s: float
    zoomed: bool

    def share(self, at_s: float) -> float:
        """Where `at_s` lies, from 0 to 1; times outside lie on the edge."""
        return min(1.0, max(0.0, (at_s - self.start_s) / max(1e-9, self.end_s - self.start_s)))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a waterfall.

    `label` is what it is, `says` what came of it. `died`: the attempt ended at `end_s` without bringing its answer to
    the end. A `decision` and a `missing` replica have no length.
    """

    kind: Kind
    depth: int
    label: str
    says: str
    pool: str
    start_s: float
    end_s: float
    died: bool
    attributes: tuple[tuple[str, str], ...]

    @property
    def duration_s(self) -> float:
        return max(0.0, self.end_s - self.start_s)


def fault_windows(faults: Sequence[Mapping[str, Any]]) -> list[FaultWindow]:
    """The faults of a `report.json` that were injected, in order of their injection."""
    found = []
    for fault in faults:
        stages = fault.get("stages") or {}
        if stages.get("injected") is None:
            continue
        end = stages.get("reverted", stages.get("verified"))
        found.append(
            FaultWindow(
                str(fault.get("id", "")),
                str(fault.get("kind", "")),
                tuple(str(target) for target in fault.get("targets") or ()),
                float(stages["injected"]),
                math.inf if end is None else float(end),
            )
        )
    return sorted(found, key=lambda window: window.start_s)


def window_of(told: Told) -> Window:
    """The whole call; enlarged around its failover where that is too short to be seen in it."""
    spans = told.get("spans") or ()
    start = min([span["start_s"] for span in spans], default=float(told.get("sent_s") or 0.0))
    end = max([span["end_s"] for span in spans], default=start)
    gap, before, after = (told.get(key) for key in ("failover_s", "last_token_before_s", "first_token_after_s"))
    whole = Window(start, max(end, start + 0.001), False)
    if not (_finite(gap) and _finite(before) and _finite(after)) or gap >= _ZOOM_BELOW * (end - start):
        return whole
    margin = max(gap, 0.05)
    near = Window(max(start, before - 2 * margin), min(end, after + 3 * margin), True)
    return near if near.end_s > near.start_s else whole


def _finite(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and math.isfinite(value)


def counts_tokens(told: Told) -> bool:
    """Whether the gateway counted what it passed on: one that copies bytes says 0 of a call that got tokens."""
    spans: Sequence[Mapping[str, Any]] = told.get("spans") or ()
    received = spans[0]["attributes"].get(names.TOKENS_RECEIVED) if spans else 0
    return not received or any(span["attributes"].get(names.TOKENS_PASSED_ON) for span in spans)


def rows_of(told: Told, faults: Sequence[FaultWindow]) -> list[Row]:
    """The rows, depth first, the gateway's decisions among its attempts."""
    spans: list[Mapping[str, Any]] = list(told.get("spans") or ())
    children: dict[int | None, list[int]] = {}
    for number, span in enumerate(spans):
        children.setdefault(span.get("parent"), []).append(number)
    clients = [span for span in spans if _kind(span) == "client"]
    counted = counts_tokens(told)
    rows: list[Row] = []

    def add(number: int, depth: int) -> None:
        span = spans[number]
        rows.append(_row(span, depth, clients, counted=counted))
        below: list[tuple[float, int, int | Row]] = [
            (float(spans[child]["start_s"]), _ORDER.get(_kind(spans[child]), 1), child)
            for child in children.get(number, ())
        ]
        below += [(row.start_s, 0, row) for row in _decisions(span, depth + 1)]
        for _, _, child in sorted(below, key=lambda entry: entry[:2]):
            if isinstance(child, Row):
                rows.append(child)
            else:
                add(child, depth + 1)
        if _kind(span) == "attempt" and not children.get(number):
            missing = _missing(span, depth + 1, faults)
            rows.extend([missing] if missing else [])

    for root in children.get(None, ()):
        add(root, 0)
    return rows


def _kind(span: Mapping[str, Any]) -> Kind:
    name = str(span["name"])
    if name == names.SPAN_ATTEMPT:
        return "attempt" if span.get("service") == names.SERVICE_GATEWAY else "client"
    if name == names.SPAN_CHAT or name.startswith(names.SPAN_CHAT + " "):
        return "call"
    return _KINDS.get(name, "span")


def _failed(span: Mapping[str, Any]) -> bool:
    outcome = span["attributes"].get(names.OUTCOME)
    return bool(span.get("error")) or outcome not in (None, "", Outcome.OK)


def _row(span: Mapping[str, Any], depth: int, clients: Sequence[Mapping[str, Any]], *, counted: bool) -> Row:
    kind, its = _kind(span), span["attributes"]
    replica = str(its.get(names.REPLICA) or str(span.get("instance", "")).rpartition("#")[0])
    label, says = str(span["name"]), ""
    match kind:
        case "call":
            label, says = f"call ({label})", _call_says(its)
        case "client":
            number = next((n for n, other in enumerate(clients, 1) if other is span), 1)
            label = f"client's attempt {number}" if len(clients) > 1 else "client's attempt"
            says = _ended(its)
        case "gateway":
            label, says = "gateway", _ended(its)
        case "attempt":
            number, reason = its.get(names.ATTEMPT_NUMBER, 1), its.get(names.ATTEMPT_REASON, "first")
            label = f"#{number} {replica}" + ("" if reason == "first" else f" ({reason})")
            says = _ended(its) + (f", {_tokens(its.get(names.TOKENS_PASSED_ON))} passed on" if counted else "")
        case "replica":
            label, says = f"replica {replica}", _replica_says(its)
        case "queue" | "prefill" | "decode":
            label = kind
        case _:
            says = _ended(its) if its.get(names.OUTCOME) else ""
    return Row(
        kind,
        depth,
        label,
        says,
        str(its.get(names.POOL) or ""),
        float(span["start_s"]),
        float(span["end_s"]),
        kind in ("attempt", "client", "replica") and _failed(span),
        tuple((key, _shown(value)) for key, value in its.items()),
    )


def _call_says(its: Mapping[str, Any]) -> str:
    received, expected = its.get(names.TOKENS_RECEIVED), its.get(names.TOKENS_EXPECTED)
    if received is None:
        return _ended(its)
    of = f" of {expected:,}" if isinstance(expected, int) and expected != received else ""
    return f"{_ended(its)}, {received:,}{of} tokens"


def _replica_says(its: Mapping[str, Any]) -> str:
    computed, cached = its.get(names.PREFILL_COMPUTED), its.get(names.PREFILL_CACHED)
    said = [] if its.get(names.OUTCOME) in (None, Outcome.OK) else [_ended(its)]
    if computed is not None:
        said.append(f"{computed:,} prompt tokens computed" + (f", {cached:,} cached" if cached else ""))
    if its.get(names.DECODED) is not None:
        said.append(f"{its[names.DECODED]:,} decoded")
    return ", ".join(said)


def _ended(its: Mapping[str, Any]) -> str:
    outcome = str(its.get(names.OUTCOME) or "no outcome")
    status = its.get(names.HTTP_STATUS)
    return f"{outcome} ({status})" if status not in (None, 200) else outcome


def _tokens(count: Any) -> str:
    return "1 token" if count == 1 else f"{count or 0:,} tokens"


def _decisions(span: Mapping[str, Any], depth: int) -> list[Row]:
    rows = []
    for event in span.get("events") or ():
        if event["name"] != names.EVENT_DECISION:
            continue
        its, at = event["attributes"], float(event["at_s"])
        chosen = str(its.get(names.DECISION_CHOSEN) or "")
        label = f"chose {chosen}" if chosen else "chose nobody"
        shown = tuple((key, _shown(value)) for key, value in its.items())
        rows.append(Row("decision", depth, label, str(its.get(names.DECISION_WHY) or ""), "", at, at, False, shown))
    return rows


def _missing(span: Mapping[str, Any], depth: int, faults: Sequence[FaultWindow]) -> Row | None:
    """Why an attempt that failed has nothing below it."""
    if not _failed(span):
        return None
    its = span["attributes"]
    replica, end = str(its.get(names.REPLICA) or ""), float(span["end_s"])
    killed = [f for f in faults if f.kind == "kill" and replica in f.targets and span["start_s"] <= f.end_s]
    if its.get(names.OUTCOME) == Outcome.REFUSED:
        label, says = f"nothing reached {replica}", "the connection was refused"
    elif any(fault.start_s <= end <= fault.end_s + 1 for fault in killed):
        label, says = f"no span of {replica}", "it was killed: its spans died with it"
    else:
        label, says = f"no span of {replica}", "none came from there"
    return Row("missing", depth, label, says, str(its.get(names.POOL) or ""), end, end, False, ())


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_shown(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
