"""What happened to a call, in sentences, in order: the gateway's reasons, the fault, the silence. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from reports.shared.wording import number_text, value_text
from reports.waterfall.rows import FaultWindow, Row, Told, Window, counts_tokens, fault_windows, rows_of, window_of

__all__ = ["Moment", "Waterfall", "waterfall_of"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened at `at_s`. `details` are lines that explain it: who was considered, who left out."""

    at_s: float
    kind: Literal["sent", "decision", "fault", "died", "resumed", "other", "end"]
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A call, ready to be drawn.

    `failover_s`: the interruption that the client felt, from `died_s` to `resumed_s`; infinite if the call never went
    on, None if no fault interrupted it. `tokens_before` and `tokens_after` the interruption are None where unknown.
    """

    key: str
    headline: str
    outcome: str
    failover_s: float | None
    died_s: float
    resumed_s: float
    tokens_before: int | None
    tokens_after: int | None
    max_gap_s: float | None
    window: Window
    faults: tuple[FaultWindow, ...]
    rows: tuple[Row, ...]
    story: tuple[Moment, ...]


def waterfall_of(told: Told, faults: Sequence[Mapping[str, Any]]) -> Waterfall:
    """Everything there is to show of a call. `faults` as in `report.json`."""
    windows, window = fault_windows(faults), window_of(told)
    near = [fault for fault in windows if fault.start_s <= _end(told) and fault.end_s >= float(told["sent_s"])]
    rows = rows_of(told, windows)
    failover = _number(told.get("failover_s"))
    before, after = _split_tokens(told, failover)
    its = _call_attributes(told)
    died = _number(told.get("last_token_before_s"))
    resumed = _number(told.get("first_token_after_s"))
    return Waterfall(
        key=f"{told['session']}/{told['agent']}#{told['turn']}",
        headline=_headline(told, failover, before, after),
        outcome=str(told.get("outcome") or ""),
        failover_s=failover,
        died_s=float(told["sent_s"]) if died is None else died,
        resumed_s=math.inf if resumed is None else resumed,
        tokens_before=before,
        tokens_after=after,
        max_gap_s=_number(its.get(names.CALL_MAX_GAP)),
        window=window,
        faults=tuple(near),
        rows=tuple(rows),
        story=tuple(_story(told, near, rows, failover, before)),
    )


def _number(value: Any) -> float | None:
    """A number of a report, in memory or read back from JSON; None for none."""
    if value == "never":
        return math.inf
    return float(value) if isinstance(value, (int, float)) and not math.isnan(value) else None


def _end(told: Told) -> float:
    return max([float(span["end_s"]) for span in told.get("spans") or ()], default=float(told["sent_s"]))


def _call_attributes(told: Told) -> Mapping[str, Any]:
    spans = told.get("spans") or ()
    its: Mapping[str, Any] = spans[0]["attributes"] if spans else {}
    return its


def _split_tokens(told: Told, failover: float | None) -> tuple[int | None, int | None]:
    """Tokens that the client had before the interruption, and that came after it: by the attempt that died."""
    if failover is None:
        return None, None
    before, after = told.get("tokens_before"), told.get("tokens_after")
    total = _call_attributes(told).get(names.TOKENS_RECEIVED)
    if before is None:
        if _number(told.get("last_token_before_s")) == _number(told.get("sent_s")):
            before = 0  # no token came before it: the interruption runs from the send
        elif math.isinf(failover):
            before = total  # none came after it
        elif counts_tokens(told):
            before = _passed_on(told)
    if after is None and before is not None and total is not None:
        after = max(0, int(total) - before)
    return before, after


def _passed_on(told: Told) -> int | None:
    for span in told.get("spans") or ():
        its = span["attributes"]
        at_it = span["name"] == names.SPAN_ATTEMPT and its.get(names.REPLICA) == told.get("from_replica")
        if at_it and its.get(names.OUTCOME) != Outcome.OK and names.TOKENS_PASSED_ON in its:
            return int(its.get(names.CONTINUATION_OFFSET, 0)) + int(its[names.TOKENS_PASSED_ON])
    return None


def _headline(told: Told, failover: float | None, before: int | None, after: int | None) -> str:
    end = f"ended {told['outcome']}" if told.get("outcome") else "never ended"
    if failover is None:
        return f"{end}, {value_text(_end(told) - float(told['sent_s']), 's')} long" + (
            "; a fault was met, and did not interrupt it" if told.get("fault") else ""
        )
    counts = ""
    if before is not None:
        of = "" if after is None else f" of {before + after:,}"
        counts = f", after {_tokens(before)}{of}" if before else ", before its first token"
    place = told.get("from_replica") or "its replica"
    if math.isinf(failover):
        return f"{end}: interrupted at {place}{counts}, and never went on"
    onto = told.get("to_replica")
    went = f"went on at {onto}" if onto and onto != place else "went on there" if onto else "went on"
    return f"{end}: interrupted at {place}{counts}, {went} {value_text(failover, 's')} later"


def _story(
    told: Told, faults: Sequence[FaultWindow], rows: Sequence[Row], failover: float | None, before: int | None
) -> list[Moment]:
    sent, end = float(told["sent_s"]), _end(told)
    moments = [Moment(sent, "sent", "the client sent the call")]
    for fault in faults:
        where = f" at {', '.join(fault.targets)}" if fault.targets else ""
        if sent <= fault.start_s <= end:
            moments.append(Moment(fault.start_s, "fault", f"fault {fault.id} began: {fault.kind}{where}"))
        if sent <= fault.end_s <= end:
            moments.append(Moment(fault.end_s, "fault", f"fault {fault.id} was reverted: {fault.kind}{where}"))
    moments += _of_spans(told)
    moments += _deaths(rows)
    resumed = _number(told.get("first_token_after_s"))
    if failover is not None and resumed is not None and math.isfinite(resumed):
        since = "the last one before it" if before else "the call was sent"
        moments.append(
            Moment(resumed, "resumed", f"the next token reached the client, {value_text(failover, 's')} after {since}")
        )
    outcome = told.get("outcome") or "without an outcome"
    never = failover is not None and math.isinf(failover)
    moments.append(Moment(end, "end", f"the call ended: {outcome}" + (", never having gone on" if never else "")))
    return sorted(moments, key=lambda moment: moment.at_s)


def _deaths(rows: Sequence[Row]) -> list[Moment]:
    """When attempts died; what there is no span of."""
    moments = []
    for index, row in enumerate(rows):
        if row.kind == "attempt" and row.died:
            following = rows[index + 1] if index + 1 < len(rows) else None
            lost = f"{following.label}: {following.says}" if following and following.kind == "missing" else ""
            moments.append(
                Moment(row.end_s, "died", f"attempt {_at(row.label)} died: {row.says}", (lost,) if lost else ())
            )
        elif row.kind == "client" and row.died:
            moments.append(Moment(row.end_s, "died", f"the {row.label} failed: {row.says}"))
    return moments


def _at(label: str) -> str:
    """ "#1 tpu-1" as words in a sentence."""
    number, _, place = label.partition(" ")
    return f"{number} at {place}"


def _of_spans(told: Told) -> list[Moment]:
    moments = []
    for span in told.get("spans") or ():
        its = span["attributes"]
        why = its.get(names.ATTEMPT_WHY)
        if why and span["name"] == names.SPAN_ATTEMPT:
            number, replica = its.get(names.ATTEMPT_NUMBER, ""), its.get(names.REPLICA, "")
            offset = int(its.get(names.CONTINUATION_OFFSET, 0))
            from_there = f", going on from token {offset:,}" if offset else ""
            text = f"attempt #{number} at {replica} as a {its.get(names.ATTEMPT_REASON, 'retry')}{from_there}"
            moments.append(Moment(float(span["start_s"]), "other", text, (f"because {why}",)))
        for event in span.get("events") or ():
            moments += _of_event(span, event)
    return moments


def _of_event(span: Mapping[str, Any], event: Mapping[str, Any]) -> list[Moment]:
    its, at = event["attributes"], float(event["at_s"])
    replica = span["attributes"].get(names.REPLICA, "a replica")
    match event["name"]:
        case names.EVENT_DECISION:
            return [_decision(at, its)]
        case names.EVENT_FAULT_HIT:
            text = f"fault {its.get(names.FAULT_ID, '?')} ({its.get(names.FAULT_KIND, '?')}) hit it at {replica}"
            return [Moment(at, "fault", text)]
        case names.EVENT_PREEMPTED:
            return [Moment(at, "other", f"{replica} preempted it to make room")]
    return []


def _decision(at: float, its: Mapping[str, Any]) -> Moment:
    considered = [str(entry) for entry in its.get(names.DECISION_CONSIDERED) or ()]
    excluded = [str(entry) for entry in its.get(names.DECISION_EXCLUDED) or ()]
    chosen, why = str(its.get(names.DECISION_CHOSEN) or ""), str(its.get(names.DECISION_WHY) or "no reason given")
    choice = f"chose {chosen} of {len(considered)}" if chosen else "refused the call"
    details = []
    if considered:
        details.append("considered, with their load in ms: " + ", ".join(_load(entry) for entry in considered))
    if excluded:
        details.append("left out: " + "; ".join(excluded))
    return Moment(at, "decision", f"the gateway {choice}: {why}", tuple(details))


def _load(entry: str) -> str:
    name, _, load = entry.partition("=")
    try:
        return f"{name} {number_text(float(load))}"
    except ValueError:
        return entry


def _tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count:,} tokens"
