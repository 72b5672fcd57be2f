"""The Messages API through the gateway, with upstreams that fail in many ways."""

from __future__ import annotations

import pytest

from reports.shared.tokens import token_stream
from tests.support.gateway_harness import MARKER, Act, Seen, request_body, rig

TOKENS = 20
MESSAGES = "/v1/messages"


def complete(seen: Seen, *, text: int = TOKENS, finish: str = "end_turn") -> None:
    """Asserts one complete message: no token lost or duplicated, well-formed blocks, one terminal event."""
    assert seen.status == 200
    assert seen.text == token_stream(MARKER.key, text)
    assert (seen.errors, seen.finish, seen.terminals, seen.heads) == ([], [finish], 1, 1)
    assert len(seen.ids) == 1
    assert seen.blocks[:2] == [("start", 0), ("stop", 0)]
    assert seen.whole


async def test_a_healthy_stream_is_forwarded_token_for_token() -> None:
    async with rig() as at:
        complete(await at.call(request_body(TOKENS), MESSAGES))


@pytest.mark.parametrize("how", ["fin", "rst", "clean", "error_event", "garbage", "not_utf8", "stall"])
@pytest.mark.parametrize("after", [1, 19])
async def test_a_stream_that_fails_midway_is_continued_by_another_replica(how: str, after: int) -> None:
    async with rig(2) as at:
        await at.call(request_body(4), MESSAGES)
        home, other = sorted(at.replicas, key=lambda replica: -len(replica.bodies))
        home.script.append(Act(how, after))
        seen = await at.call(request_body(TOKENS), MESSAGES)
        complete(seen)
        sent = other.bodies[0]
        assert sent["messages"][-1] == {"role": "assistant", "content": token_stream(MARKER.key, after)}
        assert sent["max_tokens"] == TOKENS - after
        assert seen.usage[-1]["output_tokens"] == TOKENS


async def test_the_clients_own_assistant_prefill_is_continued() -> None:
    prefill = token_stream(MARKER.key, 3)
    body = request_body(TOKENS)
    body["messages"].append({"role": "assistant", "content": [{"type": "text", "text": prefill}]})
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(Act("fin", 4))
        seen = await at.call(body, MESSAGES)
        assert prefill + seen.text == token_stream(MARKER.key, TOKENS + 3)
        lasts = [b["messages"][-1]["content"][0]["text"] for r in at.replicas for b in r.bodies]
        assert sorted(len(text) // 4 for text in lasts) == [3, 7, 11]
        assert {len(b["messages"]) for r in at.replicas for b in r.bodies} == {3}


@pytest.mark.parametrize(
    "act", [Act("fin", 3, in_tools=True), Act("stall", 0, in_tools=True), Act("clean", 5), Act("fin", 11)]
)
async def test_a_tool_use_block_is_complete_after_a_failure(act: Act) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(act)
        seen = await at.call(request_body(TOKENS, tools=[{"name": "f"}]), MESSAGES)
        complete(seen, text=12, finish="tool_use")
        assert seen.arguments == '{"input":"' + token_stream(MARKER.key, TOKENS)[48:] + '"}'
        assert seen.blocks == [("start", 0), ("stop", 0), ("start", 1), ("stop", 1)]


@pytest.mark.parametrize(("act", "finish"), [(Act("no_done"), "end_turn"), (Act("no_terminal"), "max_tokens")])
async def test_a_response_that_lacks_only_its_end_is_completed_by_the_gateway(act: Act, finish: str) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.always = act
        complete(await at.call(request_body(TOKENS), MESSAGES), finish=finish)
        assert sum(at.served()) == 1


async def test_a_stream_that_cannot_continue_ends_with_an_error_and_no_terminal_event() -> None:
    async with rig(2, migration=None) as at:
        for replica in at.replicas:
            replica.always = Act("fin", 5)
        seen = await at.call(request_body(TOKENS), MESSAGES)
        assert (seen.text, seen.terminals, seen.finish) == (token_stream(MARKER.key, 5), 0, [])
        assert seen.errors[0]["type"] == "api_error"


async def test_an_error_response_has_the_format_of_its_api() -> None:
    async with rig(1) as at:
        async with at.http.post(at.url + MESSAGES, data=b"{nonsense") as response:
            assert response.status == 400
            assert (await response.json())["error"]["type"] == "invalid_request_error"
        async with at.http.post(at.url + "/v1/chat/completions", data=b"[]") as response:
            assert response.status == 400
            assert (await response.json())["error"]["code"] == 400
