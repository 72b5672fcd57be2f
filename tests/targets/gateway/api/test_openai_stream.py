"""The chat completions API through the gateway, with upstreams that fail in many ways."""

from __future__ import annotations

import pytest

from reports.shared.tokens import token_stream
from tests.support.gateway_harness import MARKER, POLICIES, Act, Seen, request_body, rig

TOKENS = 20


def complete(seen: Seen, tokens: int = TOKENS, *, finish: str = "stop") -> None:
    """Asserts one complete response: no token lost or duplicated, one id, one terminal event."""
    assert seen.status == 200
    assert seen.text == token_stream(MARKER.key, tokens)
    assert (seen.errors, seen.finish, seen.terminals, seen.heads) == ([], [finish], 1, 1)
    assert len(seen.ids) == 1
    assert seen.whole


async def test_a_healthy_stream_is_forwarded_token_for_token() -> None:
    async with rig() as at:
        complete(await at.call(request_body(TOKENS)))
        assert sum(at.served()) == 1


@pytest.mark.parametrize("how", ["fin", "rst", "clean", "error_event", "garbage", "not_utf8", "stall"])
@pytest.mark.parametrize("after", [1, 7, 19])
async def test_a_stream_that_fails_midway_is_continued_by_another_replica(how: str, after: int) -> None:
    async with rig(2) as at:
        await at.call(request_body(4))  # gives the session a home
        home = next(r for r in at.replicas if r.bodies)
        other = next(r for r in at.replicas if not r.bodies)
        home.script.append(Act(how, after))
        body = request_body(TOKENS, stream_options={"include_usage": True})
        seen = await at.call(body)
        complete(seen)
        sent = other.bodies[0]
        assert sent["messages"][-1] == {"role": "assistant", "content": token_stream(MARKER.key, after)}
        assert (sent["continue_final_message"], sent["add_generation_prompt"]) == (True, False)
        assert sent["max_tokens"] == TOKENS - after
        [usage] = seen.usage
        assert usage["prompt_tokens"] == 100
        assert usage["completion_tokens"] == TOKENS
        assert usage["total_tokens"] == 100 + TOKENS
        assert at.gateway.snapshot()["migrations"] == 1


@pytest.mark.parametrize("how", ["fin", "rst", "clean", "error_event", "garbage", "stall", "hang", "status"])
async def test_a_failure_before_the_first_token_is_retried(how: str) -> None:
    async with rig(2) as at:
        at.replicas[0].always = Act(how, 0)
        for _ in range(3):
            seen = await at.call(request_body(TOKENS))
            complete(seen)
        assert at.gateway.snapshot()["migrations"] == 0


async def test_three_failures_in_one_response_leave_no_trace_in_it() -> None:
    async with rig(3) as at:
        for replica in at.replicas:
            replica.script.extend([Act("fin", 5)])
        complete(await at.call(request_body(TOKENS)))
        assert at.gateway.snapshot()["migrations"] == 3
        assert [body["max_tokens"] for r in at.replicas for body in r.bodies].count(20) == 1


async def test_a_continuation_lowers_max_completion_tokens() -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(Act("rst", 6))
        body = request_body(TOKENS)
        del body["max_tokens"]
        complete(await at.call({**body, "max_completion_tokens": TOKENS}))
        assert sorted(b["max_completion_tokens"] for r in at.replicas for b in r.bodies) == [8, 14, 20]


@pytest.mark.parametrize("act", [Act("fin", 3, in_tools=True), Act("stall", 0, in_tools=True), Act("clean", 5)])
async def test_tool_calls_are_complete_after_a_failure(act: Act) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(act)
        seen = await at.call(request_body(TOKENS, tools=[{"type": "function"}]))
        stream = token_stream(MARKER.key, TOKENS)
        assert seen.text == stream[: 4 * 12]
        assert seen.arguments == '{"input":"' + stream[4 * 12 :] + '"}'
        assert (seen.finish, seen.terminals, seen.heads, seen.errors) == (["tool_calls"], 1, 1, [])


@pytest.mark.parametrize(("act", "finish"), [(Act("no_done"), "stop"), (Act("no_terminal"), "length")])
async def test_a_response_that_lacks_only_its_end_is_completed_by_the_gateway(act: Act, finish: str) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.always = act
        seen = await at.call(request_body(TOKENS, stream_options={"include_usage": True}))
        complete(seen, finish=finish)
        assert sum(at.served()) == 1
        assert len(seen.usage) == 1


@pytest.mark.parametrize("how", ["fin", "clean", "stall", "error_event"])
async def test_a_stream_that_cannot_continue_ends_with_an_error_and_no_terminal_event(how: str) -> None:
    async with rig(2, migration=None) as at:
        for replica in at.replicas:
            replica.always = Act(how, 5)
        seen = await at.call(request_body(TOKENS))
        assert seen.text == token_stream(MARKER.key, 5)
        assert (len(seen.errors), seen.terminals, seen.finish) == (1, 0, [])
        assert "ended early" in seen.errors[0]["message"]


async def test_no_migration_to_a_replica_without_continuation() -> None:
    async with rig(2, continuation=False) as at:
        for replica in at.replicas:
            replica.always = Act("fin", 5)
        seen = await at.call(request_body(TOKENS))
        assert (len(seen.errors), seen.terminals) == (1, 0)
        assert sum(at.served()) == 1


async def test_a_client_error_is_forwarded_without_retry() -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.always = Act("status", status=400)
        for _ in range(6):
            seen = await at.call(request_body())
            assert seen.status == 400
            assert b"scripted status 400" in seen.raw
        assert sum(at.served()) == 6
        states = at.gateway.snapshot()["replicas"].values()
        assert {(state["breaker"], state["ejected"]) for state in states} == {("closed", False)}


async def test_a_429_is_retried_elsewhere_and_forwarded_when_all_replicas_return_it() -> None:
    busy = Act("status", status=429, headers={"Retry-After": "4"})
    async with rig(2) as at:
        at.replicas[0].always = busy
        for _ in range(3):
            complete(await at.call(request_body(TOKENS)))
        assert len(at.replicas[0].bodies) <= 1  # paused by its Retry-After
        at.replicas[1].always = busy
        seen = await at.call(request_body())
        assert seen.status == 429
        assert 1 <= int(seen.headers["Retry-After"]) <= 4
        states = at.gateway.snapshot()["replicas"].values()
        assert {state["breaker"] for state in states} == {"closed"}
        for replica in at.replicas:
            replica.always = Act()
        complete(await at.call(request_body(TOKENS)))  # no replica stays excluded


async def test_a_redirect_is_not_followed() -> None:
    async with rig(2) as at:
        elsewhere = Act("status", status=307, headers={"Location": at.replicas[1].url + "/v1/chat/completions"})
        at.replicas[0].always = elsewhere
        at.replicas[1].always = elsewhere
        seen = await at.call(request_body())
        assert seen.status == 502


async def test_a_non_streaming_request_is_retried_as_a_whole() -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(Act("rst"))
        seen = await at.call(request_body(TOKENS, stream=False))
        assert seen.status == 200
        assert token_stream(MARKER.key, TOKENS).encode() in seen.raw
        assert sum(at.served()) == 3


async def test_after_all_replicas_fail_and_recover_none_stays_shut_out() -> None:
    async with rig(3, POLICIES) as at:
        for replica in at.replicas:
            replica.always = Act("status", status=500)
        for _ in range(8):
            assert (await at.call(request_body())).status == 500
        for replica in at.replicas:
            replica.always = Act()
        complete(await at.call(request_body(TOKENS)))


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("said", [{}, {"continue_final_message": True}])
async def test_the_clients_own_assistant_prefill_is_continued(parts: bool, said: dict[str, bool]) -> None:
    prefill = token_stream(MARKER.key, 3)
    body = {**request_body(TOKENS), **said}
    body["messages"].append({"role": "assistant", "content": [{"type": "text", "text": prefill}] if parts else prefill})
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(Act("fin", 4))
        seen = await at.call(body)
        assert prefill + seen.text == token_stream(MARKER.key, TOKENS + 3)
        assert {len(b["messages"]) for r in at.replicas for b in r.bodies} == {3}
