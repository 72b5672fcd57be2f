from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.sessions.conversation import sessions
from loadprofiles.sessions.profile_file import load_profile
from loadprofiles.sessions.session import SessionPlan, share_of_worker

PROFILE = load_profile("coding-agent-ci")
SEEDS = st.integers(0, 2**32)


def describe(plans: list[SessionPlan]) -> list[tuple[int, str, str | None, float, int]]:
    return [(plan.index, plan.id, plan.tenant, plan.start_at_s, plan.calls_planned) for plan in plans]


@given(SEEDS, st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_workers_play_every_session_exactly_once(seed: int, workers: int) -> None:
    everything = describe(list(islice(sessions(PROFILE, seed, "r"), 20)))
    shares = [
        list(islice(share_of_worker(sessions(PROFILE, seed, "r"), worker, workers), 20)) for worker in range(workers)
    ]
    spread = sorted(describe([plan for share in shares for plan in share]))
    assert spread[:20] == everything
    assert all(plan.index % workers == worker for worker, share in enumerate(shares) for plan in share)


def test_a_worker_number_that_is_too_large_is_rejected() -> None:
    with pytest.raises(ValueError, match="numbered from 0 to 1"):
        share_of_worker(iter(()), 2, 2)
