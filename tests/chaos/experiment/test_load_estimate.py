"""The estimate of the sessions and calls that an experiment will offer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.experiment.load_estimate import LoadEstimate, PlannedCall, PlannedSession, estimate_load
from loadprofiles.draws import constant, uniform
from loadprofiles.sessions.conversation import sessions
from loadprofiles.sessions.profile import SubAgents, Tenant
from loadprofiles.sessions.profile_file import load_profile
from tests.support.paths import DATA

REAL = DATA / "claude-code-sessions"


def test_the_sessions_are_those_of_the_run() -> None:
    profile = load_profile("coding-agent-ci")
    estimate = estimate_load(profile, None, 7, 30.0)
    starts = [plan.start_at_s for plan, _ in zip(sessions(profile, 7, "x"), range(1000), strict=False)]
    assert [session.start_s for session in estimate.sessions] == [at for at in starts if at < 30]
    assert estimate_load(profile, None, 7, 30.0) == estimate
    assert estimate_load(profile, None, 8, 30.0) != estimate


def test_calls_of_a_session_do_not_overlap_and_end_with_the_load() -> None:
    estimate = estimate_load(load_profile("coding-agent-ci"), None, 7, 20.0)
    for session in estimate.sessions:
        sent = [call.sent_s for call in session.calls]
        assert sent == sorted(sent)
        assert sent[0] == session.start_s
        assert all(after >= before.ended_s for before, after in zip(session.calls, sent[1:], strict=False))
        assert sent[-1] < 20.0


def test_the_duration_of_a_call_follows_from_its_output_tokens() -> None:
    profile = replace(load_profile("coding-agent-ci"), output=constant(40), calls=constant(2), tool=constant(1.0))
    [first, second] = estimate_load(profile, None, 7, 60.0).sessions[0].calls
    assert first.ended_s - first.sent_s == pytest.approx(0.5 + 40 * 0.025)
    assert second.sent_s - first.ended_s == pytest.approx(1.0)


def test_sub_agents_call_concurrently() -> None:
    fan_out = SubAgents(share=1.0, count=constant(3), calls=constant(2), own_prefix=constant(100))
    profile = replace(load_profile("coding-agent-ci"), sub_agents=fan_out, calls=uniform(2, 3), tool=constant(0.1))
    session = estimate_load(profile, None, 7, 60.0).sessions[0]
    assert len(session.calls) in (8, 9)
    concurrent = max(
        sum(other.sent_s <= call.sent_s < other.ended_s for other in session.calls) for call in session.calls
    )
    assert concurrent == 3


def test_sessions_beyond_the_played_ones_repeat_the_calls_of_a_played_one(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = load_profile("coding-agent-ci")
    whole = estimate_load(profile, None, 7, 40.0)
    monkeypatch.setattr("chaos.experiment.load_estimate.PLAYED", 10)
    short = estimate_load(profile, None, 7, 40.0)
    assert [session.start_s for session in short.sessions] == [session.start_s for session in whole.sessions]
    assert short.sessions[:10] == whole.sessions[:10]
    calls = [sum(len(session.calls) for session in estimate.sessions) for estimate in (whole, short)]
    assert calls[1] == pytest.approx(calls[0], rel=0.3)


def test_sessions_and_calls_are_counted_by_window_and_tenant() -> None:
    def session(start: float, tenant: str, *sent: float) -> PlannedSession:
        return PlannedSession(start, tenant, tuple(PlannedCall(at, at + 2) for at in sent))

    estimate = LoadEstimate((session(0, "a", 0, 5), session(4, "b", 4, 9, 14), session(10, "a", 10)))
    assert estimate.sessions_in([(0, 5)]) == 2
    assert estimate.sessions_in([(0, 5), (10, 11)], "a") == 2
    assert estimate.calls_in([(5, 10)]) == 2
    assert estimate.calls_in([(0, 100)], "b") == 3
    assert len(estimate.calls_by_session([(9, 11)])) == 2
    assert estimate.calls_open_at(5.5) == 2
    assert estimate.calls_open_at(5.0) == 1  # a call that is sent exactly then is not in flight yet


def test_sessions_are_divided_among_the_tenants_by_their_shares() -> None:
    profile = replace(load_profile("coding-agent-ci"), tenants=(Tenant("big", 3.0), Tenant("small", 1.0)))
    estimate = estimate_load(profile, None, 7, 60.0)
    big, small = (estimate.sessions_in([(0, 60)], tenant) for tenant in ("big", "small"))
    assert big + small == len(estimate.sessions)
    assert big > 2 * small > 0


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded sessions are not available")
def test_recordings_are_counted_as_they_are_replayed() -> None:
    estimate = estimate_load(load_profile("coding-agent-ci"), {"dir": str(REAL), "limit": 12, "max_calls": 4}, 7, 60.0)
    assert len(estimate.sessions) == 12
    assert all(len(session.calls) >= 1 for session in estimate.sessions)
