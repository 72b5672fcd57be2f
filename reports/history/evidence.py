"""The input of all measures: a record's calls as columns, its sessions, faults and resampling.

Created once per run. For a `Scope` (phases, pool, tenant or tier) it returns masks over the columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reports.history.calls import Calls, Session
from reports.history.encounters import FaultImpact, meet_faults
from reports.history.joining import join_calls
from reports.history.rephased import rephased
from reports.history.statistics import FloatArray, IntArray, Resampling
from reports.record.reader import Record
from reports.shared.attributes import SessionOutcome
from reports.shared.phases import GATE_PHASES

__all__ = ["RUN_SCOPE", "BoolArray", "Columns", "Evidence", "Scope", "gather"]

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of a run. `phase` None: baseline, fault and recovery. `where`: for example ("pool", "tpu")."""

    phase: str | None = None
    where: tuple[str, str] | None = None

    @property
    def phases(self) -> tuple[str, ...]:
        return GATE_PHASES if self.phase is None else (self.phase,)


RUN_SCOPE: Final = Scope()


@dataclass(frozen=True, slots=True)
class Columns:
    """The calls as arrays, in the order sent. Times in seconds; `session` is the index in `Evidence.calls.sessions`.

    `phase`: in which each was sent. `slo_phase`: in which it counts for the objectives. `ttft` is infinite without a
    token; `tpot` and `max_gap` are NaN where undefined.
    """

    session: IntArray
    sent: FloatArray
    end: FloatArray
    ttft: FloatArray
    tpot: FloatArray
    e2e: FloatArray
    max_gap: FloatArray
    lateness: FloatArray
    tokens: FloatArray
    ok: BoolArray
    good: BoolArray
    phase: NDArray[np.str_]
    slo_phase: NDArray[np.str_]
    pool: NDArray[np.str_]
    tenant: NDArray[np.str_]
    tier: NDArray[np.str_]


@dataclass
class Evidence:
    """A run as the input of measures. `cache`: results that several measures share."""

    record: Record
    calls: Calls
    columns: Columns
    impacts: list[FaultImpact]
    cache: dict[str, object] = field(default_factory=dict)

    @cached_property
    def resampling(self) -> Resampling:
        """The resampling by session, the same for all measures of the run."""
        return Resampling(len(self.calls.sessions), self.record.seed)

    def mask(self, scope: Scope) -> BoolArray:
        """For each call, whether it is in the scope, by the phase in which it was sent."""
        return np.isin(self.columns.phase, scope.phases) & self.of(scope.where)

    def slo_mask(self, scope: Scope) -> BoolArray:
        """For each call, whether it counts in the scope for the objectives: see `reports.history.calls.slo_phase`."""
        return np.isin(self.columns.slo_phase, scope.phases) & self.of(scope.where)

    def of(self, where: tuple[str, str] | None) -> BoolArray:
        """For each call of the run, whether it belongs to this pool, tenant or tier. None: all of them."""
        if where is None:
            return np.ones(self.columns.sent.size, dtype=np.bool_)
        key, value = where
        columns = {"pool": self.columns.pool, "tenant": self.columns.tenant, "tier": self.columns.tier}
        return np.asarray(columns[key] == value, dtype=np.bool_)

    def sessions(self, scope: Scope) -> list[Session]:
        """The sessions of the scope, by the phase in which they started.

        Without a phase, sessions of the warm-up still running when the baseline began are included, because the fault
        may affect them.
        """
        baseline = self.record.phase("baseline")
        phases = scope.phases

        def belongs(session: Session) -> bool:
            if scope.where is not None and getattr(session, scope.where[0]) != scope.where[1]:
                return False
            if session.phase in phases:
                return True
            return (
                scope.phase is None
                and session.phase in ("setup", "warmup")
                and baseline is not None
                and (session.end_s > baseline.start_s or session.outcome == SessionOutcome.UNFINISHED)
            )

        return [session for session in self.calls.sessions if belongs(session)]

    def duration_s(self, scope: Scope) -> float:
        """The total duration of the scope's phases, seconds."""
        return sum(phase.duration_s for phase in self.record.phases if phase.name in scope.phases)

    def by_session(self, values: FloatArray, mask: BoolArray) -> FloatArray:
        """The sums of `values` per session, over the calls in `mask`."""
        size = max(1, len(self.calls.sessions))
        return np.bincount(self.columns.session[mask], weights=values[mask], minlength=size).astype(np.float64)


def gather(record: Record, joined: Calls | None = None) -> Evidence:
    """Join a record's spans into calls and arrange them as columns. `joined`: the calls of these spans, if known."""
    calls = join_calls(record) if joined is None else rephased(joined, record)
    index = {session.id: number for number, session in enumerate(calls.sessions)}
    rows = calls.calls

    def floats(name: str) -> FloatArray:
        return np.array([getattr(call, name) for call in rows], dtype=np.float64)

    def texts(name: str) -> NDArray[np.str_]:
        return np.array([getattr(call, name) for call in rows], dtype=np.str_)

    columns = Columns(
        session=np.array([index[call.session] for call in rows], dtype=np.int64),
        sent=floats("sent_s"),
        end=floats("end_s"),
        ttft=floats("ttft_s"),
        tpot=floats("tpot_s"),
        e2e=floats("e2e_s"),
        max_gap=floats("max_gap_s"),
        lateness=floats("lateness_s"),
        tokens=floats("tokens"),
        ok=np.array([call.ok for call in rows], dtype=np.bool_),
        good=np.array([call.good for call in rows], dtype=np.bool_),
        phase=texts("phase"),
        slo_phase=texts("slo_phase"),
        pool=texts("pool"),
        tenant=texts("tenant"),
        tier=texts("tier"),
    )
    return Evidence(record, calls, columns, meet_faults(record, calls))
