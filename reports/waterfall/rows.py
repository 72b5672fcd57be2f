"""The spans of a call as the rows of a waterfall, the same for the terminal and the page. Pure.

The input has the form of an entry of `failovers` in `report.json` (`reports.waterfall.data`). Times are seconds since
the start of the load.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from reports.shared.fault_traits import traits_of
from reports.shared.plain_text import printable_line

__all__ = [
    "CallReport",
    "FaultWindow",
    "Kind",
    "Row",
    "Window",
    "counts_tokens",
    "fault_windows",
    "rows_of",
    "window_of",
    "words_of",
]

CallReport = Mapping[str, Any]
"""A call as in `report.json`: a header, and `spans`, a tree in depth-first order."""

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
"""Order of spans that start at the same time."""

_NO_PROCESS: Final = "#0"
"""How the instance of a lost span ends where no process ended after it began (`reports.history.upstream`)."""
_ZOOM_BELOW: Final = 0.12
"""A failover shorter than this share of its call is shown zoomed."""


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """When a fault was active: from injection to revert. `end_s` is infinite if it was never reverted."""

    id: str
    kind: str
    targets: tuple[str, ...]
    start_s: float
    end_s: float
    loses_spans: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The time range that is drawn, seconds. `zoomed`: the call is longer than the range."""

    start_s: float
    end_s: float
    zoomed: bool

    def share(self, at_s: float) -> float:
        """The position of `at_s` in the range, from 0 to 1; times outside are clamped."""
        return min(1.0, max(0.0, (at_s - self.start_s) / max(1e-9, self.end_s - self.start_s)))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a waterfall.

    `label` names the span, `detail` is its outcome. `failed`: the attempt ended at `end_s` without a complete answer. A
    `decision` and a `missing` replica have no duration.
    """

    kind: Kind
    depth: int
    label: str
    detail: str
    pool: str
    start_s: float
    end_s: float
    failed: bool
    attributes: tuple[tuple[str, str], ...]

    @property
    def duration_s(self) -> float:
        return max(0.0, self.end_s - self.start_s)


def fault_windows(faults: Sequence[Mapping[str, Any]]) -> list[FaultWindow]:
    """The injected faults of a `report.json`, in order of injection."""
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
                traits_of(str(fault.get("kind", "")), fault.get("traits")).loses_spans,
            )
        )
    return sorted(found, key=lambda window: window.start_s)


def window_of(call: CallReport) -> Window:
    """The whole call, or the time around its failover where that is too short to be visible in the whole."""
    spans = call.get("spans") or ()
    start = min([span["start_s"] for span in spans], default=float(call.get("sent_s") or 0.0))
    end = max([span["end_s"] for span in spans], default=start)
    gap, before, after = (call.get(key) for key in ("failover_s", "last_token_before_s", "first_token_after_s"))
    whole = Window(start, max(end, start + 0.001), False)
    if not (_finite(gap) and _finite(before) and _finite(after)) or gap >= _ZOOM_BELOW * (end - start):
        return whole
    margin = max(gap, 0.05)
    near = Window(max(start, before - 2 * margin), min(end, after + 3 * margin), True)
    return near if near.end_s > near.start_s else whole


def _finite(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and math.isfinite(value)


def counts_tokens(call: CallReport) -> bool:
    """Whether the gateway counted the tokens it passed on. A gateway that copies bytes reports 0 for every call."""
    spans: Sequence[Mapping[str, Any]] = call.get("spans") or ()
    received = spans[0]["attributes"].get(names.TOKENS_RECEIVED) if spans else 0
    return not received or any(span["attributes"].get(names.TOKENS_PASSED_ON) for span in spans)


def rows_of(call: CallReport, faults: Sequence[FaultWindow]) -> list[Row]:
    """The rows in depth-first order; the decisions of the gateway stand between its attempts, by time."""
    spans: list[Mapping[str, Any]] = list(call.get("spans") or ())
    children: dict[int | None, list[int]] = {}
    for number, span in enumerate(spans):
        children.setdefault(span.get("parent"), []).append(number)
    client_attempts = [span for span in spans if _kind(span) == "client"]
    counted = counts_tokens(call)
    rows: list[Row] = []

    def add(number: int, depth: int) -> None:
        span = spans[number]
        rows.append(_row(span, depth, client_attempts, counted=counted))
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


def _row(span: Mapping[str, Any], depth: int, client_attempts: Sequence[Mapping[str, Any]], *, counted: bool) -> Row:
    kind, attributes = _kind(span), span["attributes"]
    replica = str(attributes.get(names.REPLICA) or str(span.get("instance", "")).rpartition("#")[0])
    label, detail = str(span["name"]), ""
    match kind:
        case "call":
            label, detail = f"call ({label})", _call_detail(attributes)
        case "client":
            number = next((n for n, other in enumerate(client_attempts, 1) if other is span), 1)
            label = f"client attempt {number}" if len(client_attempts) > 1 else "client attempt"
            detail = _ended(attributes)
        case "gateway":
            label, detail = "gateway", _ended(attributes)
        case "attempt":
            number, reason = attributes.get(names.ATTEMPT_NUMBER, 1), attributes.get(names.ATTEMPT_REASON, "first")
            label = f"#{number} {replica}" + ("" if reason == "first" else f" ({reason})")
            detail = _ended(attributes) + (
                f", {_tokens(attributes.get(names.TOKENS_PASSED_ON))} passed on" if counted else ""
            )
        case "replica":
            label, detail = f"replica {replica}", _replica_detail(span)
        case "queue" | "prefill" | "decode":
            label = kind
        case _:
            detail = _ended(attributes) if attributes.get(names.OUTCOME) else ""
    words = words_of(attributes)
    if words and kind in ("call", "client", "attempt"):
        detail += f': "{words}"'
    return Row(
        kind,
        depth,
        label,
        detail,
        str(attributes.get(names.POOL) or ""),
        float(span["start_s"]),
        float(span["end_s"]),
        kind in ("attempt", "client", "replica") and _failed(span),
        tuple((key, _shown(value)) for key, value in attributes.items()),
    )


def words_of(attributes: Mapping[str, Any]) -> str:
    """Why a call or an attempt failed, in the target's words, on one line and without control characters; else ""."""
    text = str(attributes.get(names.ERROR_MESSAGE) or "")
    return printable_line(text)


def _call_detail(attributes: Mapping[str, Any]) -> str:
    received, expected = attributes.get(names.TOKENS_RECEIVED), attributes.get(names.TOKENS_EXPECTED)
    if received is None:
        return _ended(attributes)
    of = f" of {expected:,}" if isinstance(expected, int) and expected != received else ""
    return f"{_ended(attributes)}, {received:,}{of} tokens"


def _replica_detail(span: Mapping[str, Any]) -> str:
    attributes = span["attributes"]
    if attributes.get(names.SPAN_LOST):
        if str(span.get("instance", "")).endswith(_NO_PROCESS):
            return "only its begin is known: its span was never received"
        return "its process ended, and the rest of this span was lost with it"
    computed, cached = attributes.get(names.PREFILL_COMPUTED), attributes.get(names.PREFILL_CACHED)
    parts = [] if attributes.get(names.OUTCOME) in (None, Outcome.OK) else [_ended(attributes)]
    if computed is not None:
        parts.append(f"{computed:,} prompt tokens computed" + (f", {cached:,} cached" if cached else ""))
    if attributes.get(names.DECODED) is not None:
        parts.append(f"{attributes[names.DECODED]:,} decoded")
    return ", ".join(parts)


def _ended(attributes: Mapping[str, Any]) -> str:
    outcome = str(attributes.get(names.OUTCOME) or "no outcome")
    status = attributes.get(names.HTTP_STATUS)
    return f"{outcome} ({status})" if status not in (None, 200) else outcome


def _tokens(count: Any) -> str:
    return "1 token" if count == 1 else f"{count or 0:,} tokens"


def _decisions(span: Mapping[str, Any], depth: int) -> list[Row]:
    rows = []
    for event in span.get("events") or ():
        if event["name"] != names.EVENT_DECISION:
            continue
        attributes, at = event["attributes"], float(event["at_s"])
        chosen = str(attributes.get(names.DECISION_CHOSEN) or "")
        label = f"chose {chosen}" if chosen else "chose no replica"
        shown = tuple((key, _shown(value)) for key, value in attributes.items())
        rows.append(
            Row("decision", depth, label, str(attributes.get(names.DECISION_WHY) or ""), "", at, at, False, shown)
        )
    return rows


def _missing(span: Mapping[str, Any], depth: int, faults: Sequence[FaultWindow]) -> Row | None:
    """A row that explains why a failed attempt has no span of its replica; None if the attempt succeeded."""
    if not _failed(span):
        return None
    attributes = span["attributes"]
    replica, end = str(attributes.get(names.REPLICA) or ""), float(span["end_s"])
    killed = [f for f in faults if f.loses_spans and replica in f.targets and span["start_s"] <= f.end_s]
    if attributes.get(names.OUTCOME) == Outcome.REFUSED:
        label, detail = f"nothing reached {replica}", "the connection was refused"
    elif any(fault.start_s <= end <= fault.end_s + 1 for fault in killed):
        label, detail = f"no span from {replica}", "killed before it exported its spans"
    else:
        label, detail = f"no span from {replica}", "none was received"
    return Row("missing", depth, label, detail, str(attributes.get(names.POOL) or ""), end, end, False, ())


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_shown(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "".join(letter if letter.isprintable() else " " for letter in str(value))
