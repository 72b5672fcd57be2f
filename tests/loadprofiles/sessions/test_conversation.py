from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.arrivals import ArrivalsSpec, Constant, Poisson
from loadprofiles.draws import constant, lognormal, uniform
from loadprofiles.sessions.conversation import sessions
from loadprofiles.sessions.profile import Compaction, Profile, SubAgents, Tenant, Thinking
from loadprofiles.sessions.profile_file import load_profile
from loadprofiles.sessions.session import Call, CallResult, SessionPlan
from reports.shared.tokens import TOKEN_CHARS, find_marker, marker_text
from tests.support.session_player import FAILED, Played, common_chars, play, replica_answer, text_of

PROFILE = Profile(
    name="test",
    arrivals=ArrivalsSpec(poisson=Poisson(constant=Constant(5.0))),
    shared_prefix=300,
    own_prefix=lognormal(60, 0.5, 20, 200),
    calls=uniform(1, 9),
    appended=lognormal(40, 1.0, 16, 300),
    output=lognormal(12, 0.8, 1, 60),
    tool=uniform(0.1, 2),
    person=uniform(10, 20),
    person_share=0.2,
    sub_agents=SubAgents(0.5, uniform(1, 4), uniform(1, 4), constant(50)),
    compaction=Compaction(700, uniform(30, 60)),
    tenants=(Tenant("a", 1), Tenant("b", 3, "batch")),
)
SEEDS = st.integers(0, 2**32)


def some(count: int, seed: int = 7, profile: Profile = PROFILE, run: str = "r") -> list[SessionPlan]:
    return list(islice(sessions(profile, seed, run), count))


def describe(plans: list[SessionPlan]) -> list[tuple[int, str, str | None, float, int]]:
    return [(plan.index, plan.id, plan.tenant, plan.start_at_s, plan.calls_planned) for plan in plans]


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, 1000))
def test_equal_seeds_play_equal_sessions_in_any_interleaving(seed: int, order: int) -> None:
    one_by_one = play(some(8, seed))
    mixed = play(some(8, seed), interleave=order)
    assert mixed == one_by_one
    assert describe(some(8, seed)) == describe(some(8, seed))


def test_different_seeds_play_different_sessions() -> None:
    assert describe(some(8, 1)) != describe(some(8, 2))


def test_sessions_are_in_the_order_of_their_start() -> None:
    starts = [plan.start_at_s for plan in some(100)]
    assert starts == sorted(starts)
    assert starts[0] > 0


def test_a_session_makes_its_planned_calls_including_sub_agents_and_summaries() -> None:
    plans = some(150)
    played = play(plans)
    assert [played[plan.id].count for plan in plans] == [plan.calls_planned for plan in plans]
    assert all(one.succeeded for one in played.values())
    assert any(len(one.calls) > 1 for one in played.values())


def check_markers(call: Call) -> None:
    asking = [message for message in call.messages if message.role != "assistant"]
    assert find_marker(asking[-1].text) == call.marker
    assert asking[-1].text.endswith(marker_text(call.marker))
    assert (call.agent, call.turn) == (call.marker.agent, call.marker.turn)
    for message in call.messages:
        assert message.text.count("[") <= 1
        assert message.role == "system" or message.role == "assistant" or message.text.endswith("]")
        # plain ASCII that JSON does not escape
        assert re.fullmatch(r"[\w \[\]/.:-]*", message.text, re.ASCII)


def test_each_call_ends_in_its_own_marker_and_contains_no_partial_marker() -> None:
    for played in play(some(60)).values():
        for calls in played.calls.values():
            assert [call.turn for call in calls] == list(range(len(calls)))
            for call in calls:
                check_markers(call)


def test_a_conversation_keeps_its_messages_unless_it_is_summarised() -> None:
    summaries = 0
    for played in play(some(60)).values():
        for calls in played.calls.values():
            for before, after in pairwise(calls):
                if len(after.messages) > len(before.messages):
                    kept = after.messages[: len(before.messages)]
                    assert all(one is other for one, other in zip(kept, before.messages, strict=True))
                    assert after.messages[len(before.messages)].role == "assistant"
                else:
                    summaries += 1
                    assert not before.tools
                    assert replica_answer(before).text in after.messages[-1].text
                    assert sum(len(m.text) for m in before.messages) > 700 * TOKEN_CHARS
                    shared = common_chars(text_of(before.messages), text_of(after.messages))
                    assert shared >= len(after.messages[0].text)
    assert summaries > 5


def test_calls_allow_tools_except_before_a_person_a_summary_and_the_end() -> None:
    persons = 0
    for played in play(some(80)).values():
        for agent, calls in played.calls.items():
            assert not calls[-1].tools
            pauses = played.pauses.get(agent, [])
            people = [pause for pause in pauses if pause.why == "person"]
            persons += len(people)
            assert all(10 <= pause.seconds <= 20 for pause in people)
            assert all(0.1 <= pause.seconds <= 2 and pause.tool for pause in pauses if pause.why == "tool")
            if agent != "main":
                assert not people
    assert persons > 10


def test_the_answer_is_appended_as_received_followed_by_the_tools_result() -> None:
    for played in play(some(20)).values():
        for calls in played.calls.values():
            for before, after in pairwise(calls):
                if len(after.messages) <= len(before.messages):
                    continue
                result = replica_answer(before)
                answer, *endings = after.messages[len(before.messages) :]
                assert answer.text == result.text
                assert tuple(call.arguments for call in answer.tool_calls) == result.tool_arguments
                if not answer.tool_calls:
                    assert endings[0].role == "user"
                for ending, call in zip(endings, answer.tool_calls, strict=False):
                    assert (ending.role, ending.tool_call_id) == ("tool", call.id)


def test_sessions_share_the_system_message_and_no_block_after_it() -> None:
    played = play(some(40))
    firsts = [calls[0] for one in played.values() for calls in one.calls.values()]
    assert len({call.messages[0].text for call in firsts}) == 1
    assert len(firsts[0].messages[0].text) == 300 * TOKEN_CHARS
    assert len({call.messages[1].text[:64] for call in firsts}) == len(firsts)
    assert all(len(call.messages[1].text) == 50 * TOKEN_CHARS for call in firsts if call.agent != "main")


def test_another_run_of_the_same_seed_has_equal_sizes_and_different_text() -> None:
    def sizes(played: dict[str, Played]) -> list[list[tuple[int, int, bool]]]:
        return [
            [(len(c.messages), c.max_tokens, c.tools) for c in calls]
            for one in played.values()
            for calls in one.calls.values()
        ]

    one, other = play(some(5, run="aaaa")), play(some(5, run="bbbb"))
    assert sizes(one) == sizes(other)
    a, b = (played.calls["main"][0].messages[1].text for played in (one["aaaa-0"], other["bbbb-0"]))
    assert a[:64] != b[:64]


def test_a_failed_call_ends_the_session_as_lost() -> None:
    plan = next(plan for plan in some(20) if plan.calls_planned > 4)
    made: list[Call] = []

    def second_fails(call: Call) -> CallResult:
        made.append(call)
        return FAILED if len(made) == 2 else replica_answer(call)

    played = play([plan], answer=second_fails)[plan.id]
    assert played.succeeded is False
    with pytest.raises(ValueError, match="has already ended"):
        plan.agent.next(0.0, None)


def test_a_failed_sub_agent_ends_the_session_as_lost() -> None:
    plans = some(40)
    played = play(plans, answer=lambda call: FAILED if call.agent == "sub-1" else replica_answer(call))
    lost = [one for one in played.values() if one.forks]
    assert len(lost) > 5
    assert all(one.succeeded is False for one in lost)
    assert all(one.succeeded for one in played.values() if not one.forks)


def test_an_agent_that_gets_no_result_for_its_call_raises() -> None:
    agent = some(1)[0].agent
    assert isinstance(agent.next(0.0, None), Call)
    with pytest.raises(ValueError, match="needs the result"):
        agent.next(0.0, None)


def test_sub_agents_and_tenants_have_their_shares_of_the_sessions() -> None:
    plans = some(240)
    assert {(plan.tenant, plan.tier) for plan in plans} == {("a", ""), ("b", "batch")}
    assert 0.15 < sum(plan.tenant == "a" for plan in plans) / 240 < 0.35
    forks = [one.forks for one in play(plans).values()]
    # half of the sessions fan out
    assert 0.4 < sum(map(bool, forks)) / 240 < 0.6
    assert {len(fork) for fork_list in forks for fork in fork_list} == {1, 2, 3, 4}


def test_only_the_configured_share_of_the_calls_thinks() -> None:
    usual = replace(PROFILE, output=constant(9), compaction=None)
    played = play(some(120, profile=replace(usual, thinking=Thinking(0.1, constant(450)))))
    outputs = [call.max_tokens for one in played.values() for calls in one.calls.values() for call in calls]
    assert set(outputs) == {9, 450}
    assert outputs.count(450) / len(outputs) == pytest.approx(0.1, abs=0.04)


def test_coding_agent_ci_draws_its_configured_sizes() -> None:
    profile = replace(load_profile("coding-agent-ci"), shared_prefix=1500)
    plans = some(300, profile=profile)
    calls = sorted(plan.calls_planned for plan in plans)
    assert (calls[0], calls[150], calls[-1]) == (3, 6, 12)
    played = play(plans)
    outputs = sorted(call.max_tokens for one in played.values() for c in one.calls.values() for call in c)
    assert 28 <= outputs[len(outputs) // 2] <= 36
    assert 115 <= outputs[int(0.9 * len(outputs))] <= 160
    assert (outputs[0], outputs[-1]) == (8, 300)
    assert not any(one.forks for one in played.values())
