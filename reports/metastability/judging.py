"""Judges whether the stack stays down after the trigger is gone, and why.

Down: good calls / offered calls stays below 70 % of the baseline's in every window of 5 s from the end of the grace
period to the end of the recovery, at the baseline's offered load. A stack that is down is

    metastable   retries, wasted work or cache misses persist above the baseline's, and the twin is healthy or shedding
                 restored service
    overloaded   otherwise, also where neither a twin nor shedding was run

A stack that recovers before the end of the grace period is healthy (`well`). Otherwise the state is unknown where the
recovery ends less than 5 s after the grace period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import wilson_interval
from reports.history.windows import recovered_at, window_shares
from reports.metastability.grace import Grace, grace_period, longest_client_timeout_s, trigger_gone_s
from reports.metastability.persisting import Persisting, find_persisting
from reports.metastability.shedding import Shedding, read_shedding
from reports.metastability.twin import Twin, read_twin
from reports.shared.thresholds import DOWN_BELOW, WINDOW_S
from reports.shared.wording import SEE_WINDOWS, value_text

__all__ = ["Metastability", "State", "metastability_of"]

LOAD_BAND: Final = 1.1
"""Up to this multiple of the baseline's sessions per second, the load counts as back at the baseline."""

State = Literal["well", "overloaded", "metastable"]
"""`well`: healthy. `overloaded`, `metastable`: down."""


@dataclass(frozen=True, slots=True)
class Metastability:
    """The result. `state` is None where it is unknown; `why` is a sentence in each case.

    `confirmed_by`: "twin", "shedding". `down_below`: the share of good calls below which the stack is down. Times are
    seconds since the start of the load; those that do not apply are None.
    """

    state: State | None
    why: str
    confirmed_by: tuple[str, ...] = ()
    trigger_gone_s: float | None = None
    grace: Grace | None = None
    judged_from_s: float | None = None
    judged_to_s: float | None = None
    baseline_share: float | None = None
    down_below: float | None = None
    share: float | None = None
    persisting: tuple[Persisting, ...] = ()
    twin: Twin | None = None
    shedding: Shedding | None = None

    @property
    def down(self) -> bool:
        return self.state in ("overloaded", "metastable")

    @property
    def unconfirmed(self) -> bool:
        """Down while something persists, and no twin shows what the load alone does.

        Shedding that does not restore service is not conclusive: it may have been too short.
        """
        has_twin = self.twin is not None and self.twin.share is not None
        return self.state == "overloaded" and not has_twin and any(one.worse for one in self.persisting)


def metastability_of(evidence: Evidence) -> Metastability:
    """Judge the run. Computed once per run, cached in the evidence."""
    cached = evidence.cache.get("metastability")
    if not isinstance(cached, Metastability):
        cached = evidence.cache["metastability"] = _judge(evidence)
    return cached


def _judge(evidence: Evidence) -> Metastability:
    record, columns = evidence.record, evidence.columns
    if not any(fault.injected_s is not None for fault in record.faults):
        return Metastability(None, "no fault was injected")
    if record.repeats("baseline", "fault", "recovery"):
        return Metastability(None, SEE_WINDOWS)
    gone_s, recovery = trigger_gone_s(record), record.phase("recovery")
    if gone_s is None or recovery is None or not record.finished("recovery"):
        return Metastability(None, "the record ends before the end of the recovery")
    baseline = evidence.slo_mask(Scope("baseline"))
    share = float(columns.good[baseline].mean()) if baseline.any() else 0.0
    if share == 0:
        return Metastability(None, "no call of the baseline was good: a recovery cannot be recognised")
    grace = _grace(evidence, gone_s)
    down_below, end_s = DOWN_BELOW * share, recovery.end_s
    found = Metastability(
        None, "", trigger_gone_s=gone_s, grace=grace, judged_to_s=end_s, baseline_share=share, down_below=down_below
    )
    good, ones = columns.good.astype(np.float64), np.ones(columns.good.size)
    from_s = gone_s + grace.total_s
    recovered_s = recovered_at(columns.sent, good, ones, down_below, gone_s, end_s)
    if end_s - from_s < WINDOW_S:
        if recovered_s is not None:
            why = f"recovered {recovered_s - gone_s:.1f} s after the trigger was gone"
            return replace(found, state="well", why=why)
        why = f"the recovery ends less than {WINDOW_S:g} s after the grace period of {grace.total_s:.1f} s"
        return replace(found, why=why)
    return _after_grace(evidence, found, from_s, end_s)


def _after_grace(evidence: Evidence, found: Metastability, from_s: float, end_s: float) -> Metastability:
    columns = evidence.columns
    grace, down_below = found.grace, found.down_below
    assert grace is not None
    assert down_below is not None
    good, ones = columns.good.astype(np.float64), np.ones(columns.good.size)
    _, shares = window_shares(columns.sent, good, ones, from_s, end_s)
    after = (columns.sent >= from_s) & (columns.sent < end_s)
    found = replace(found, judged_from_s=from_s)
    if not after.any():
        return replace(found, why="no call was sent after the grace period")
    share = float(columns.good[after].mean())
    found = replace(found, share=share)
    if (why := _load_above_baseline(evidence, from_s, end_s)) is not None:
        return replace(found, why=why)
    if not bool(np.all(shares[~np.isnan(shares)] < down_below)):
        why = f"good / offered is {share:.0%} after the grace period of {grace.total_s:.1f} s"
        return replace(found, state="well", why=why)
    persisting = find_persisting(evidence, evidence.mask(Scope("baseline")), after)
    twin, shedding = read_twin(evidence.record, from_s, end_s), read_shedding(evidence)
    state, why, confirmed = _classify(down_below, persisting, twin, shedding)
    down = (
        f"good / offered stays at {share:.0%} (baseline {found.baseline_share:.0%}) "
        f"after a grace period of {grace.total_s:.1f} s"
    )
    return replace(
        found, state=state, why=f"{down}; {why}", confirmed_by=confirmed, persisting=persisting, twin=twin,
        shedding=shedding,
    )  # fmt: skip


def _classify(
    down_below: float, persisting: tuple[Persisting, ...], twin: Twin | None, shedding: Shedding | None
) -> tuple[State, str, tuple[str, ...]]:
    """The state of a stack that is down, the reason, and what confirmed it."""
    worse = [
        f"{p.what} {value_text(p.after, p.unit)} (baseline {value_text(p.baseline, p.unit)})"
        for p in persisting
        if p.worse
    ]
    if not worse:
        return "overloaded", "neither retries nor wasted work nor cache misses are above the baseline", ()
    persists = f"still above the baseline: {', '.join(worse)}"
    twin_healthy = twin.share >= down_below if twin is not None and twin.share is not None else None
    restored = shedding.share >= down_below if shedding is not None and shedding.share is not None else None
    if twin_healthy is False:
        assert twin is not None
        return "overloaded", f"{persists}; but the twin without the fault is down too (good {twin.share:.0%})", ()
    confirmed = tuple(name for name, yes in (("twin", twin_healthy), ("shedding", restored)) if yes)
    reasons = [persists]
    if twin_healthy and twin is not None:
        reasons.append(f"the twin without the fault is healthy (good {twin.share:.0%})")
    if restored and shedding is not None:
        reasons.append(f"shedding new sessions restored service (good {shedding.share:.0%})")
    if restored is False and shedding is not None:
        reasons.append(f"shedding new sessions did not restore service (good {shedding.share:.0%})")
    if twin is not None and twin.why_not:
        reasons.append(f"the twin is not conclusive: {twin.why_not}")
    if shedding is not None and shedding.why_not:
        reasons.append(f"shedding is not conclusive: {shedding.why_not}")
    if confirmed:
        return "metastable", "; ".join(reasons), confirmed
    return "overloaded", "; ".join([*reasons, "metastable unless a twin is down too (run it with --twin)"]), ()


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
    return grace_period(timeout_s, open_now, float(overlap.sum()) / span_s, most, offered)


def _load_above_baseline(evidence: Evidence, from_s: float, end_s: float) -> str | None:
    """Why the offered load is above the baseline's, None where it is not.

    By sessions started: Wilson's interval of the share of the sessions of both times that started in the later one.
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
    return f"{now:.3g} sessions per second are offered after the grace period, {then:.3g} in the baseline"
