"""Down or well after the trigger is gone, what keeps it down, and the word for it.

Down: good calls / offered calls stays below 70 % of the baseline's in every window of 5 s from the end of the grace
period to the end of the recovery, at the baseline's offered load. Then

    metastable   retries, wasted work or a cold cache persist above the baseline's, and the twin is well or shedding
                 brought it back
    overloaded   else; also as long as neither twin nor shedding can tell

Well before the grace period is over is well. A recovery shorter than the grace period cannot tell anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from reports.history.evidence import BoolArray, Evidence, Scope
from reports.history.statistics import MIN_SESSIONS, FloatArray, percentile_interval, wilson_interval
from reports.history.windows import recovered_at, window_shares
from reports.history.work import attempts_by_call, wasted_by_call
from reports.metastability.grace import Grace, grace_of, longest_client_timeout_s, trigger_gone_s
from reports.metastability.shedding import Shedding, read_shedding
from reports.metastability.twin import Twin, read_twin
from reports.shared import attributes as names
from reports.shared.thresholds import DOWN_BELOW, WINDOW_S
from reports.shared.wording import value_text

__all__ = ["Metastability", "Persisting", "State", "metastability_of"]

LOAD_BAND: Final = 1.1
"""Sessions a second, of the baseline's, that still count as its offered load."""

State = Literal["well", "overloaded", "metastable"]


@dataclass(frozen=True, slots=True)
class Persisting:
    """One thing that may keep it down: its value in the baseline and after the grace period; `worse` when the whole
    95 % interval (bootstrap by session) of the difference says so.
    """

    what: str
    unit: Literal["x", "share"]
    baseline: float
    after: float
    worse: bool


@dataclass(frozen=True, slots=True)
class Metastability:
    """`state` is None where it cannot be told; `why` is a sentence either way. `bar` is a share of calls.

    `confirmed_by`: "twin", "shedding". Times are seconds since zero; those that do not apply are None.
    """

    state: State | None
    why: str
    confirmed_by: tuple[str, ...] = ()
    trigger_gone_s: float | None = None
    grace: Grace | None = None
    judged_from_s: float | None = None
    judged_to_s: float | None = None
    baseline_share: float | None = None
    bar: float | None = None
    share: float | None = None
    persisting: tuple[Persisting, ...] = ()
    twin: Twin | None = None
    shedding: Shedding | None = None

    @property
    def down(self) -> bool:
        return self.state in ("overloaded", "metastable")

    @property
    def unconfirmed(self) -> bool:
        """Down by something that persists, and no twin says whether the load alone would do it. (Shedding that does not
        bring it back says nothing: it may have been too short.)
        """
        told = self.twin is not None and self.twin.share is not None
        return self.state == "overloaded" and not told and any(one.worse for one in self.persisting)


def metastability_of(evidence: Evidence) -> Metastability:
    """Judged once a run, kept with the evidence."""
    kept = evidence.kept.get("metastability")
    if not isinstance(kept, Metastability):
        kept = evidence.kept["metastability"] = _judge(evidence)
    return kept


def _judge(evidence: Evidence) -> Metastability:
    record, columns = evidence.record, evidence.columns
    if not any(fault.injected_s is not None for fault in record.faults):
        return Metastability(None, "no fault was injected")
    gone_s, recovery = trigger_gone_s(record), record.phase("recovery")
    if gone_s is None or recovery is None or not record.finished("recovery"):
        return Metastability(None, "the record ends before the recovery did")
    baseline = evidence.mask(Scope("baseline"))
    share = float(columns.good[baseline].mean()) if baseline.any() else 0.0
    if share == 0:
        return Metastability(None, "no call of the baseline was good: there is nothing to come back to")
    grace = _grace(evidence, gone_s)
    bar, end_s = DOWN_BELOW * share, recovery.end_s
    found = Metastability(
        None, "", trigger_gone_s=gone_s, grace=grace, judged_to_s=end_s, baseline_share=share, bar=bar
    )
    good, ones = columns.good.astype(np.float64), np.ones(columns.good.size)
    from_s = gone_s + grace.total_s
    well_s = recovered_at(columns.sent, good, ones, bar, gone_s, end_s)
    if end_s - from_s < WINDOW_S:
        if well_s is not None:
            return _as(found, "well", f"well again {well_s - gone_s:.1f} s after the trigger was gone")
        return _as(
            found, None, f"the recovery ends less than {WINDOW_S:g} s after the grace period of {grace.total_s:.1f} s"
        )
    return _after_grace(evidence, found, from_s, end_s)


def _after_grace(evidence: Evidence, found: Metastability, from_s: float, end_s: float) -> Metastability:
    columns = evidence.columns
    assert found.bar is not None
    assert found.grace is not None
    good, ones = columns.good.astype(np.float64), np.ones(columns.good.size)
    _, shares = window_shares(columns.sent, good, ones, from_s, end_s)
    after = (columns.sent >= from_s) & (columns.sent < end_s)
    if not after.any():
        return _as(found, None, "no call was offered after the grace period", from_s=from_s)
    share = float(columns.good[after].mean())
    if (more := _more_load(evidence, from_s, end_s)) is not None:
        return _as(found, None, more, from_s=from_s, share=share)
    if not bool(np.all(shares[~np.isnan(shares)] < found.bar)):
        why = f"good / offered is {share:.0%} once the grace period of {found.grace.total_s:.1f} s is over"
        return _as(found, "well", why, from_s=from_s, share=share)
    persisting = _persisting(evidence, evidence.mask(Scope("baseline")), after)
    twin, shedding = read_twin(evidence.record, from_s, end_s), read_shedding(evidence)
    state, why, confirmed = _word(found.bar, persisting, twin, shedding)
    down = (
        f"good / offered stays at {share:.0%} (baseline {found.baseline_share:.0%}) "
        f"after a grace period of {found.grace.total_s:.1f} s"
    )
    return _as(
        found, state, f"{down}; {why}", from_s=from_s, share=share, persisting=persisting,
        twin=twin, shedding=shedding, confirmed=confirmed,
    )  # fmt: skip


def _as(
    found: Metastability,
    state: State | None,
    why: str,
    *,
    from_s: float | None = None,
    share: float | None = None,
    persisting: tuple[Persisting, ...] = (),
    twin: Twin | None = None,
    shedding: Shedding | None = None,
    confirmed: tuple[str, ...] = (),
) -> Metastability:
    return Metastability(
        state, why, confirmed, found.trigger_gone_s, found.grace, from_s, found.judged_to_s, found.baseline_share,
        found.bar, share, persisting, twin, shedding,
    )  # fmt: skip


def _word(
    bar: float, persisting: tuple[Persisting, ...], twin: Twin | None, shedding: Shedding | None
) -> tuple[State, str, tuple[str, ...]]:
    """Of a stack that is down: which of both it is, why, and what confirmed it."""
    worse = [
        f"{p.what} {value_text(p.after, p.unit)} (baseline {value_text(p.baseline, p.unit)})"
        for p in persisting
        if p.worse
    ]
    if not worse:
        return "overloaded", "neither retries nor wasted work nor a cold cache keep it down", ()
    kept = f"kept down by {', '.join(worse)}"
    twin_well = twin.share >= bar if twin is not None and twin.share is not None else None
    back = shedding.share >= bar if shedding is not None and shedding.share is not None else None
    if twin_well is False:
        assert twin is not None
        return "overloaded", f"{kept}; but the same seed without the fault is down too (good {twin.share:.0%})", ()
    confirmed = tuple(name for name, yes in (("twin", twin_well), ("shedding", back)) if yes)
    said = []
    if twin_well and twin is not None:
        said.append(f"the same seed without the fault is well (good {twin.share:.0%})")
    if back and shedding is not None:
        said.append(f"keeping new sessions out brought it back (good {shedding.share:.0%})")
    if back is False and shedding is not None:
        said.append(f"keeping new sessions out did not bring it back (good {shedding.share:.0%})")
    said += [f"the twin says nothing: {twin.why_not}"] if twin is not None and twin.why_not else []
    said += [f"shedding says nothing: {shedding.why_not}"] if shedding is not None and shedding.why_not else []
    if confirmed:
        return "metastable", "; ".join([kept, *said]), confirmed
    return "overloaded", "; ".join([kept, *said, "metastable unless the twin is down too (play it with --twin)"]), ()


def _grace(evidence: Evidence, gone_s: float) -> Grace:
    columns, baseline = evidence.columns, evidence.record.phase("baseline")
    assert baseline is not None
    ended = np.sort(columns.end[columns.ok & (columns.end <= gone_s)])
    most = 0.0
    if ended.size:
        most = float((np.arange(1, ended.size + 1) - np.searchsorted(ended, ended - WINDOW_S)).max()) / WINDOW_S
    begin, end, span_s = baseline.start_s, baseline.end_s, max(baseline.duration_s, 1e-9)
    offered = float(((columns.sent >= begin) & (columns.sent < end)).sum()) / span_s
    overlap = np.clip(np.minimum(columns.end, end) - np.maximum(columns.sent, begin), 0.0, None)
    open_now = float(((columns.sent <= gone_s) & (columns.end > gone_s)).sum())
    timeout_s = longest_client_timeout_s(evidence.record)
    return grace_of(timeout_s, open_now, float(overlap.sum()) / span_s, most, offered)


def _more_load(evidence: Evidence, from_s: float, end_s: float) -> str | None:
    """Why the offered load is not back at its baseline, None where it is: by sessions started (Wilson on the share of
    both times' sessions that fall into the later one).
    """
    baseline = evidence.record.phase("baseline")
    assert baseline is not None
    starts = [session.start_s for session in evidence.calls.sessions]
    before = sum(baseline.start_s <= at < baseline.end_s for at in starts)
    after = sum(from_s <= at < end_s for at in starts)
    allowed = LOAD_BAND * (end_s - from_s)
    if wilson_interval(after, after + before)[0] <= allowed / (allowed + baseline.duration_s):
        return None
    now, then = after / (end_s - from_s), before / max(baseline.duration_s, 1e-9)
    return f"{now:.3g} sessions a second are offered after the grace period, {then:.3g} in the baseline"


def _persisting(evidence: Evidence, baseline: BoolArray, after: BoolArray) -> tuple[Persisting, ...]:
    ones = np.ones(baseline.size)
    calls = evidence.calls
    clients = np.array([max(1, len(call.client_attempts)) for call in calls.calls], dtype=np.float64)
    found = [_compared(evidence, "client attempts a call", "x", clients, ones, baseline, after)]
    if calls.has_gateway or calls.has_replicas:
        upstream = attempts_by_call(evidence)
        found.append(_compared(evidence, "upstream attempts a call", "x", upstream, ones, baseline, after))
    if calls.has_replicas:
        wasted, decoded = wasted_by_call(evidence)
        found.append(_compared(evidence, "wasted share of decoded tokens", "share", wasted, decoded, baseline, after))
        requests = [call.replica_requests for call in calls.calls]
        asked = np.array([sum(r.prompt_tokens or 0 for r in its) for its in requests], dtype=np.float64)
        cached = np.array(
            [sum(int(r.span.attributes.get(names.PREFILL_CACHED, 0)) for r in its) for its in requests],
            dtype=np.float64,
        )
        missed = np.maximum(0.0, asked - cached)
        found.append(_compared(evidence, "share of prompts not in the cache", "share", missed, asked, baseline, after))
    return tuple(one for one in found if one is not None)


def _compared(
    evidence: Evidence,
    what: str,
    unit: Literal["x", "share"],
    part: FloatArray,
    whole: FloatArray,
    baseline: BoolArray,
    after: BoolArray,
) -> Persisting | None:
    """A quotient of sums in the baseline and after the grace period; None where one of them does not exist."""
    sums = [(evidence.by_session(part, mask), evidence.by_session(whole, mask)) for mask in (baseline, after)]
    if any(under.sum() <= 0 for _, under in sums):
        return None
    before, now = (float(over.sum() / under.sum()) for over, under in sums)
    ratios = [evidence.resampling.ratio(over, under) for over, under in sums]
    enough = all(np.count_nonzero(under) >= MIN_SESSIONS for _, under in sums)
    return Persisting(what, unit, before, now, enough and percentile_interval(ratios[1] - ratios[0])[0] > 0)
