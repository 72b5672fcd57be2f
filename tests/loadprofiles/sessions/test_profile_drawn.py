"""What the shipped profiles draw: medians and P90s of thousands of draws, shares, and the size of the load."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise, takewhile
from statistics import fmean, median, pstdev

import pytest

from chaos.experiment.load_estimate import estimate_load
from loadprofiles.draws import Distribution, Draws
from loadprofiles.sessions.conversation import sessions
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.profile_file import load_profile, profile_names
from loadprofiles.sessions.session import SessionPlan
from reports.shared.tenancy import TIERS
from reports.shared.tokens import tokens_in
from tests.support.paths import ROOT
from tests.support.session_player import play

DRAWS = 4000


def drawn(distribution: Distribution) -> tuple[float, float]:
    """Median and P90 of 4,000 draws."""
    draws = Draws("drawn")
    values = sorted(distribution.at(draws.uniform(i)) for i in range(DRAWS))
    return values[DRAWS // 2], values[DRAWS * 9 // 10]


def some(profile: Profile, count: int) -> list[SessionPlan]:
    return list(islice(sessions(profile, 3, "r"), count))


SIZES = [
    # profile, quantity, median, P90
    ("chat", "own_prefix", 150, 1500),
    ("chat", "output", 129, 450),
    ("chat", "appended", 60, 400),
    ("chat", "person", 30, 120),
    ("batch", "own_prefix", 3000, 9000),
    ("batch", "output", 120, 500),
    ("heavy-user", "output", 220, 940),
    ("heavy-user", "appended", 800, 4000),
    ("reasoning", "output", 900, 4500),
    ("research-swarm", "appended", 2000, 8000),
    ("research-swarm", "tool", 1.5, 6),
    ("coding-agent", "appended", 800, 4000),
    ("coding-agent", "output", 220, 940),
    ("tiered-ci", "own_prefix", 7000, 10_280),
    ("tiered-ci", "output", 16, 40),
    ("retry-storm-ci", "output", 8, 16),
    ("reasoning-ci", "output", 12, 17.6),
]


@pytest.mark.parametrize(("name", "quantity", "median", "p90"), SIZES)
def test_quantities_have_the_published_median_and_p90(name: str, quantity: str, median: float, p90: float) -> None:
    found_median, found_p90 = drawn(getattr(load_profile(name), quantity))
    assert found_median == pytest.approx(median, rel=0.08)
    assert found_p90 == pytest.approx(p90, rel=0.1)


@pytest.mark.parametrize(
    ("name", "median", "p90"),
    [("chat", 2, 6), ("batch", 1, 1), ("reasoning", 2, 4), ("tiered-ci", 1, 2), ("reasoning-ci", 2, 3)],
)
def test_sessions_have_the_expected_number_of_calls(name: str, median: int, p90: int) -> None:
    calls = sorted(plan.calls_planned for plan in some(load_profile(name), 1000))
    assert calls[500] in (median, median + 1)
    assert abs(calls[900] - p90) <= 1


def test_every_session_of_a_swarm_starts_three_to_ten_sub_agents() -> None:
    profile = load_profile("research-swarm")
    plans = some(profile, 300)
    calls = sorted(plan.calls_planned for plan in plans)
    assert 60 <= calls[150] <= 95  # 6 of the lead agent, plus about 6.5 sub-agents with 11 each
    assert profile.sub_agents is not None
    assert profile.sub_agents.share == 1
    assert Counter(profile.sub_agents.count.whole((i + 0.5) / 800) for i in range(800)) == dict.fromkeys(
        range(3, 11), 100
    )


def test_outputs_of_thinking_calls_are_many_times_longer() -> None:
    for name, times in (("reasoning", 8.9), ("reasoning-ci", 50)):
        profile = load_profile(name)
        assert profile.thinking is not None
        assert drawn(profile.thinking.output)[0] / drawn(profile.output)[0] == pytest.approx(times, rel=0.1)


@pytest.mark.parametrize("name", ["tiered-ci", "heavy-user"])
def test_tenants_of_all_tiers_have_their_shares_of_the_sessions(name: str) -> None:
    profile = load_profile(name)
    assert {tenant.tier for tenant in profile.tenants} == set(TIERS)
    found = Counter(plan.tenant for plan in some(profile, 3000))
    whole = sum(tenant.share for tenant in profile.tenants)
    for tenant in profile.tenants:
        assert found[tenant.name] / 3000 == pytest.approx(tenant.share / whole, abs=0.03)


@pytest.mark.parametrize(("name", "cv"), [("chat", 1.5), ("batch", 6.0), ("heavy-user", 2.0), ("research-swarm", 1.0)])
def test_arrivals_have_their_configured_coefficient_of_variation(name: str, cv: float) -> None:
    times = list(islice(load_profile(name).arrivals.arrivals(Draws(9)), 20_000))
    gaps = [later - at for at, later in pairwise(times)]
    assert pstdev(gaps) / fmean(gaps) == pytest.approx(cv, rel=0.15)


SHORT = [name for name in profile_names() if name.endswith("-ci") and name != "long-agents-ci"]


@pytest.mark.parametrize("name", SHORT)
def test_ci_profiles_are_a_load_that_two_cores_can_generate(name: str) -> None:
    planned = estimate_load(load_profile(name), None, 1, 60).sessions
    calls = [call for session in planned for call in session.calls]
    assert 50 <= len(planned) <= 700
    assert len(calls) / 60 <= 40
    ended = [session for session in planned if session.start_s < 30 and session.calls[-1].ended_s < 60]
    assert len(ended) / sum(session.start_s < 30 for session in planned) >= 0.9


def test_long_agents_ci_grows_to_150_000_tokens_and_is_compacted() -> None:
    profile = load_profile("long-agents-ci")
    compacted = 0
    for seed in (1, 2, 3):
        plans = list(takewhile(lambda plan: plan.start_at_s < 60, sessions(profile, seed, "r")))
        assert 20 <= len(plans) <= 30
        longest = []
        for one in play(plans).values():
            sizes = [sum(tokens_in(message.text) for message in call.messages) for call in one.calls["main"]]
            longest.append(max(sizes))
            compacted += sum(later < before for before, later in pairwise(sizes))
        assert median(longest) > 110_000
        assert 150_000 < max(longest) < 175_000
    assert compacted >= 2


def test_batch_calls_are_not_streamed() -> None:
    assert not load_profile("batch").client.stream


def test_the_documentation_has_every_profile() -> None:
    text = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")
    assert [name for name in profile_names() if f"\n| `{name}` |" not in text] == []
