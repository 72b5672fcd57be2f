"""What happened to a call, as sentences in order of time: decisions of the gateway, faults, interruptions. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from reports.shared.wording import number_text, value_text
from reports.waterfall.rows import (
    CallReport,
    FaultWindow,
    Row,
    Window,
    counts_tokens,
    fault_windows,
    rows_of,
    window_of,
    words_of,
)

__all__ = ["Moment", "Waterfall", "waterfall_of"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a call, at `at_s`. `details`: explanations, such as the replicas considered and excluded."""

    at_s: float
    kind: Literal["sent", "decision", "fault", "failed", "resumed", "other", "end"]
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Everything that is shown of a call.

    `failover_s`: the interruption that the client observed, from `interrupted_s` to `resumed_s`; infinite if the call
    never resumed, None if no fault interrupted it. `tokens_before` and `tokens_after` it: None if unknown.
    """

    key: str
    headline: str
    outcome: str
    failover_s: float | None
    interrupted_s: float
    resumed_s: float
    tokens_before: int | None
    tokens_after: int | None
    max_gap_s: float | None
    window: Window
    faults: tuple[FaultWindow, ...]
    rows: tuple[Row, ...]
    story: tuple[Moment, ...]


def waterfall_of(call: CallReport, faults: Sequence[Mapping[str, Any]]) -> Waterfall:
    """The waterfall of a call. `faults` as in `report.json`."""
    windows, window = fault_windows(faults), window_of(call)
    near = [fault for fault in windows if fault.start_s <= _end(call) and fault.end_s >= float(call["sent_s"])]
    rows = rows_of(call, windows)
    failover = _number(call.get("failover_s"))
    before, after = _split_tokens(call, failover)
    attributes = _call_attributes(call)
    interrupted = _number(call.get("last_token_before_s"))
    resumed = _number(call.get("first_token_after_s"))
    return Waterfall(
        key=f"{call['session']}/{call['agent']}#{call['turn']}",
        headline=_headline(call, failover, before, after),
        outcome=str(call.get("outcome") or ""),
        failover_s=failover,
        interrupted_s=float(call["sent_s"]) if interrupted is None else interrupted,
        resumed_s=math.inf if resumed is None else resumed,
        tokens_before=before,
        tokens_after=after,
        max_gap_s=_number(attributes.get(names.CALL_MAX_GAP)),
        window=window,
        faults=tuple(near),
        rows=tuple(rows),
        story=tuple(_story(call, near, rows, failover, before)),
    )


def _number(value: Any) -> float | None:
    """A number of a report, in memory or read back from JSON; None if it is not a number."""
    if value == "never":
        return math.inf
    return float(value) if isinstance(value, (int, float)) and not math.isnan(value) else None


def _end(call: CallReport) -> float:
    return max([float(span["end_s"]) for span in call.get("spans") or ()], default=float(call["sent_s"]))


def _call_attributes(call: CallReport) -> Mapping[str, Any]:
    spans = call.get("spans") or ()
    attributes: Mapping[str, Any] = spans[0]["attributes"] if spans else {}
    return attributes


def _split_tokens(call: CallReport, failover: float | None) -> tuple[int | None, int | None]:
    """Tokens received before and after the interruption, from the attempt that failed; None where unknown."""
    if failover is None:
        return None, None
    before, after = call.get("tokens_before"), call.get("tokens_after")
    total = _call_attributes(call).get(names.TOKENS_RECEIVED)
    if before is None:
        if _number(call.get("last_token_before_s")) == _number(call.get("sent_s")):
            before = 0  # no token before it: the interruption starts with the send
        elif math.isinf(failover):
            before = total  # no token after it
        elif counts_tokens(call):
            before = _passed_on(call)
    if after is None and before is not None and total is not None:
        after = max(0, int(total) - before)
    return before, after


def _passed_on(call: CallReport) -> int | None:
    for span in call.get("spans") or ():
        attributes = span["attributes"]
        at_replica = span["name"] == names.SPAN_ATTEMPT and attributes.get(names.REPLICA) == call.get("from_replica")
        if at_replica and attributes.get(names.OUTCOME) != Outcome.OK and names.TOKENS_PASSED_ON in attributes:
            return int(attributes.get(names.CONTINUATION_OFFSET, 0)) + int(attributes[names.TOKENS_PASSED_ON])
    return None


def _headline(call: CallReport, failover: float | None, before: int | None, after: int | None) -> str:
    end = f"ended {call['outcome']}" if call.get("outcome") else "never ended"
    if failover is None:
        return f"{end}, {value_text(_end(call) - float(call['sent_s']), 's')} long" + (
            "; it met a fault, but was not interrupted" if call.get("fault") else ""
        )
    counts = ""
    if before is not None:
        whole = _whole(call, before, after)
        total = "" if whole is None else f" of {whole:,}"
        counts = f", after {_tokens(before)}{total}" if before else ", before its first token"
    place = call.get("from_replica") or "its replica"
    if math.isinf(failover):
        return f"{end}: interrupted on {place}{counts}, never resumed"
    target = call.get("to_replica")
    resumed = f"resumed on {target}" if target and target != place else "resumed there" if target else "resumed"
    return f"{end}: interrupted on {place}{counts}, {resumed} {value_text(failover, 's')} later"


def _whole(call: CallReport, before: int, after: int | None) -> int | None:
    """Tokens of the whole answer: received, if the call ended ok; else expected or asked for; None if unknown."""
    if call.get("outcome") == Outcome.OK:
        return None if after is None else before + after
    attributes, received = _call_attributes(call), before + (after or 0)
    for name in (names.TOKENS_EXPECTED, names.REQUEST_MAX_TOKENS):
        tokens = attributes.get(name)
        if isinstance(tokens, int) and tokens > received:
            return tokens
    return None


def _story(
    call: CallReport, faults: Sequence[FaultWindow], rows: Sequence[Row], failover: float | None, before: int | None
) -> list[Moment]:
    sent, end = float(call["sent_s"]), _end(call)
    moments = [Moment(sent, "sent", "call sent by the client")]
    for fault in faults:
        where = f" on {', '.join(fault.targets)}" if fault.targets else ""
        if sent <= fault.start_s <= end:
            moments.append(Moment(fault.start_s, "fault", f"fault {fault.id} injected: {fault.kind}{where}"))
        if sent <= fault.end_s <= end:
            moments.append(Moment(fault.end_s, "fault", f"fault {fault.id} reverted: {fault.kind}{where}"))
    moments += _span_moments(call)
    moments += _failed_attempts(rows)
    resumed = _number(call.get("first_token_after_s"))
    if failover is not None and resumed is not None and math.isfinite(resumed):
        since = "the previous token" if before else "the call was sent"
        moments.append(
            Moment(resumed, "resumed", f"next token received by the client, {value_text(failover, 's')} after {since}")
        )
    outcome = call.get("outcome") or "without an outcome"
    never = failover is not None and math.isinf(failover)
    words = words_of(_call_attributes(call))
    told = any(words and words in moment.text for moment in moments)
    details = (f'the target said: "{words}"',) if words and not told else ()
    moments.append(Moment(end, "end", f"call ended: {outcome}" + (", never resumed" if never else ""), details))
    return sorted(moments, key=lambda moment: moment.at_s)


def _failed_attempts(rows: Sequence[Row]) -> list[Moment]:
    """The failed attempts, each with the spans that are missing because of it."""
    moments = []
    for index, row in enumerate(rows):
        if row.kind == "attempt" and row.failed:
            following = rows[index + 1] if index + 1 < len(rows) else None
            lost = f"{following.label}: {following.detail}" if following and following.kind == "missing" else ""
            moments.append(
                Moment(
                    row.end_s,
                    "failed",
                    f"attempt {_on_replica(row.label)} failed: {row.detail}",
                    (lost,) if lost else (),
                )
            )
        elif row.kind == "client" and row.failed:
            moments.append(Moment(row.end_s, "failed", f"{row.label} failed: {row.detail}"))
    return moments


def _on_replica(label: str) -> str:
    """`#1 tpu-1` -> `#1 on tpu-1`."""
    number, _, place = label.partition(" ")
    return f"{number} on {place}"


def _span_moments(call: CallReport) -> list[Moment]:
    moments = []
    for span in call.get("spans") or ():
        attributes = span["attributes"]
        why = attributes.get(names.ATTEMPT_WHY)
        if why and span["name"] == names.SPAN_ATTEMPT:
            number, replica = attributes.get(names.ATTEMPT_NUMBER, ""), attributes.get(names.REPLICA, "")
            offset = int(attributes.get(names.CONTINUATION_OFFSET, 0))
            continued = f", continued from token {offset:,}" if offset else ""
            text = f"attempt #{number} on {replica} as a {attributes.get(names.ATTEMPT_REASON, 'retry')}{continued}"
            moments.append(Moment(float(span["start_s"]), "other", text, (f"because {why}",)))
        for event in span.get("events") or ():
            moments += _event_moments(span, event)
    return moments


def _event_moments(span: Mapping[str, Any], event: Mapping[str, Any]) -> list[Moment]:
    attributes, at = event["attributes"], float(event["at_s"])
    replica = span["attributes"].get(names.REPLICA, "a replica")
    match event["name"]:
        case names.EVENT_DECISION:
            return [_decision(at, attributes)]
        case names.EVENT_FAULT_HIT:
            fault = f"{attributes.get(names.FAULT_ID, '?')} ({attributes.get(names.FAULT_KIND, '?')})"
            return [Moment(at, "fault", f"fault {fault} hit the call on {replica}")]
        case names.EVENT_PREEMPTED:
            return [Moment(at, "other", f"{replica} preempted the request to free memory")]
    return []


def _decision(at: float, attributes: Mapping[str, Any]) -> Moment:
    considered = [str(entry) for entry in attributes.get(names.DECISION_CONSIDERED) or ()]
    excluded = [str(entry) for entry in attributes.get(names.DECISION_EXCLUDED) or ()]
    chosen, why = (
        str(attributes.get(names.DECISION_CHOSEN) or ""),
        str(attributes.get(names.DECISION_WHY) or "no reason given"),
    )
    choice = f"chose {chosen} of {len(considered)}" if chosen else "rejected the call"
    details = []
    if considered:
        details.append("considered (load in ms): " + ", ".join(_load(entry) for entry in considered))
    if excluded:
        details.append("excluded: " + "; ".join(excluded))
    return Moment(at, "decision", f"the gateway {choice}: {why}", tuple(details))


def _load(entry: str) -> str:
    name, _, load = entry.partition("=")
    try:
        return f"{name} {number_text(float(load))}"
    except ValueError:
        return entry


def _tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count:,} tokens"
