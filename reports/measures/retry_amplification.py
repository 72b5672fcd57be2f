"""retry_amplification: upstream attempts / logical calls.

Upstream attempts are the gateway's; behind a gateway that is not ours, the requests at replicas of ours; with neither,
the client's attempts. An attempt that was joined to no call (the call's span was lost) counts in the phase in which it
started; behind a gateway that is not ours, only if it has a conversation's marker. Health checks and other clients come
through such a gateway too: what they sent is only in the upper end of the interval.

Attempts that a dead replica refused are in no span of a replica (`reports.history.unseen`): where the gateway's
statistics count them, they are added; else the value is a lower bound, and the interval reaches as far as the kernel's
count of refused connections allows.
"""

from __future__ import annotations

import numpy as np

from reports.history.calls import Attempt, ReplicaRequest, phase_at
from reports.history.evidence import Evidence, Scope
from reports.history.intervals import worst_effect
from reports.history.statistics import FloatArray
from reports.history.unseen import Refused, refused_attempts, refused_note
from reports.history.work import attempts_by_call
from reports.measures.measurement import Measurement, Rare, bounded, not_measured, resampled
from reports.shared import attributes as names

__all__ = ["retry_amplification"]


def retry_amplification(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Attempts per call."""
    mask = evidence.mask(scope)
    if not mask.any():
        return not_measured("no call was made")
    calls = evidence.calls
    attempts = evidence.by_session(attempts_by_call(evidence), mask)
    offered = evidence.by_session(np.ones(mask.size), mask)
    unjoined = [
        one
        for one in (calls.unjoined_attempts if calls.has_gateway else calls.unjoined_requests)
        if phase_at(evidence.record.phases, one.start_s) in scope.phases
    ]
    own = [one for one in unjoined if not (evidence.record.foreign_gateway and _is_of_a_stranger(one))]
    refused = refused_attempts(evidence, scope.phases)
    extra = 0.0
    if scope.where is None:
        extra += len(own) + refused.least
    else:
        refused = Refused(refused.most, exact=False)  # how many of them belong to this part, nobody knows
    strangers = len(unjoined) - len(own)
    unseen = refused.most - refused.least
    total = float(offered.sum())
    found = resampled(
        (float(attempts.sum()) + extra) / total,
        int(total),
        int(np.count_nonzero(offered)),
        lambda: evidence.resampling.ratio(attempts, offered) + extra / total,
        Rare(*_repeating(attempts, offered, extra / total)),
    )
    if not (unseen or strangers) or found.interval is None:
        return found
    left_out = [refused_note(refused)] if unseen else []
    if strangers:
        left_out.append(f"{strangers:,} requests at replicas that belong to no call (health checks?) are not in it")
    high = found.interval()[1] + (unseen + strangers) / total
    return bounded(found, f"at least: {'; '.join(left_out)}", high=high)


def _is_of_a_stranger(one: Attempt | ReplicaRequest) -> bool:
    """Whether nothing says that it is of this load: a health check by completion, or of another client."""
    return names.CONVERSATION_ID not in one.span.attributes


def _repeating(attempts: FloatArray, offered: FloatArray, extra: float) -> tuple[int, float, float]:
    """Sessions with more attempts than calls, the amplification without them, and what one such session adds.

    Where there is none, a session is taken to repeat each of its calls once.
    """
    repeated = attempts - offered
    more = repeated > 0
    sessions, total = int(np.count_nonzero(more)), float(offered.sum())
    usual = float((attempts[~more]).sum() + offered[more].sum()) / total
    each = float(repeated[more].mean()) if sessions else worst_effect(offered)
    return sessions, usual + extra, each / total
