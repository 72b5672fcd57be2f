"""Whole conversations against strict servers: every turn after a difficult answer is one that the API allows."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from loadprofiles.arrivals import ArrivalsSpec, Constant, Poisson
from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from loadprofiles.draws import constant
from loadprofiles.replay.claude_code import read_session
from loadprofiles.replay.plan import plan_replay
from loadprofiles.replay.shaping import TraceOptions
from loadprofiles.sessions.conversation import sessions
from loadprofiles.sessions.profile import Compaction, Profile, SubAgents
from loadprofiles.sessions.session import Agent, Call, CallResult, Done, Fork, SessionPlan
from tests.support.dialects.strict import strict_server
from tests.support.recordings import request, session, write

PROFILE = Profile(
    name="strict",
    arrivals=ArrivalsSpec(poisson=Poisson(constant=Constant(5.0))),
    shared_prefix=50,
    own_prefix=constant(60),
    calls=constant(24),
    appended=constant(30),
    output=constant(8),
    tool=constant(0.0),
    person=constant(0.0),
    person_share=0.3,
    sub_agents=SubAgents(1.0, constant(2), constant(5), constant(50)),
)
TRACE = TraceOptions(rate=1, speed=1, max_pause_s=1e6, shrink=1, max_calls=None)


def drive(agent: Agent, client: Client, session_id: str) -> int:
    """Plays an agent and its sub-agents to their ends; returns the number of calls."""
    context = AgentContext(session_id, agent.id, None, 7)
    calls = 0
    last: CallResult | None = None
    while True:
        step = agent.next(0.0, last)
        last = None
        if isinstance(step, Call):
            record = client.call(step, context, now_s())
            assert record.ok, record.message
            last, calls = record.result(), calls + 1
        elif isinstance(step, Fork):
            calls += sum(drive(child, client, session_id) for child in step.agents)
        elif isinstance(step, Done):
            assert step.succeeded
            return calls


def play_all(api: str, plans: list[SessionPlan]) -> None:
    server, refused = strict_server(api)
    with server:
        client = Client(ClientOptions(server.url, "lab-1", api=api, retries="none", timeout_s=5.0))
        calls = sum(drive(plan.agent, client, plan.id) for plan in plans)
        client.close()
    assert refused == []
    assert len(server.requests) == calls == sum(plan.calls_planned for plan in plans)


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("compaction", [None, Compaction(260, constant(40))], ids=["growing", "compacted"])
@pytest.mark.parametrize("shared_prefix", [0, 50])
def test_a_strict_server_accepts_every_turn_of_a_session(
    api: str, compaction: Compaction | None, shared_prefix: int
) -> None:
    profile = replace(PROFILE, compaction=compaction, shared_prefix=shared_prefix)
    play_all(api, list(islice(sessions(profile, 3, "r"), 3)))


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("growth", [0, 1, 2, 5])
def test_a_strict_server_accepts_every_turn_of_a_replay(api: str, growth: int, tmp_path: Path) -> None:
    requests = [
        request(
            range(9 + growth * turn),
            stop="tool_use" if turn % 3 else "end_turn",
            out=20,
            **{"in": 64 * (9 + growth * turn)},
        )
        for turn in range(20)
    ]
    recorded = read_session(write(tmp_path, session(requests)))
    play_all(api, list(islice(plan_replay([recorded], TRACE, 7, "r"), 1)))


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_a_strict_server_accepts_a_replay_that_rewinds(api: str, tmp_path: Path) -> None:
    lengths = [9, 12, 15, 18, 12, 16, 11, 20, 20, 9, 14, 18, 22, 13]
    requests = [
        request([*range(length - 1), 1000 + turn], stop="tool_use", out=20, **{"in": 64 * length + turn})
        for turn, length in enumerate(lengths)
    ]
    recorded = read_session(write(tmp_path, session(requests)))
    play_all(api, list(islice(plan_replay([recorded], TRACE, 7, "r"), 1)))
