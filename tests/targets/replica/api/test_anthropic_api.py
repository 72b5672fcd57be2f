"""The official `anthropic` client against a replica."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic, BadRequestError, InternalServerError, NotFoundError

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import ANTHROPIC_TOOLS, MODEL, expected, marked, running


@pytest.fixture
async def client(replica: ReplicaServer) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=replica.url, api_key="none", max_retries=0) as found:
        yield found


def user(text: str) -> Any:
    return {"role": "user", "content": text}


async def test_a_message_has_the_expected_tokens_and_its_usage(client: AsyncAnthropic) -> None:
    answer = await client.messages.create(
        model=MODEL, messages=[user(marked("hi"))], max_tokens=9, system="Be brief.", metadata={"user_id": "s1"}
    )
    (block,) = answer.content
    assert block.type == "text"
    assert block.text == expected("s1", 0, 0, 9)
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 9
    assert answer.usage.cache_read_input_tokens == 0
    assert answer.usage.input_tokens > 10


async def test_a_stream_has_the_complete_sequence_of_events(client: AsyncAnthropic) -> None:
    stream = await client.messages.create(model=MODEL, messages=[user(marked("hi"))], max_tokens=6, stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 6,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    async with client.messages.stream(model=MODEL, messages=[user(marked("hi"))], max_tokens=6) as helper:
        assert "".join([text async for text in helper.text_stream]) == expected("s1", 0, 0, 6)
        assert (await helper.get_final_message()).usage.output_tokens == 6


@pytest.mark.parametrize("total", [1, 2, 30])
async def test_with_tools_a_message_ends_in_one_tool_use(client: AsyncAnthropic, total: int) -> None:
    call_tokens = min(8, total // 2)
    request: dict[str, Any] = {
        "model": MODEL,
        "messages": [user(marked("hi"))],
        "max_tokens": total,
        "tools": ANTHROPIC_TOOLS,
    }
    whole = await client.messages.create(**request)
    async with client.messages.stream(**request) as stream:
        streamed = await stream.get_final_message()
    messages: list[Any] = [whole, streamed]
    for message in messages:
        assert message.stop_reason == "tool_use"
        *texts, call = message.content
        assert "".join(block.text for block in texts) == expected("s1", 0, 0, total - call_tokens)
        assert call.input == {"input": expected("s1", 0, total - call_tokens, total)}
        assert call.name == messages[0].content[-1].name


async def test_a_prefilled_message_is_continued(client: AsyncAnthropic) -> None:
    messages = [user(marked("hi")), {"role": "assistant", "content": expected("s1", 0, 0, 12)}]
    answer = await client.messages.create(model=MODEL, messages=messages, max_tokens=8)
    (block,) = answer.content
    assert block.type == "text"
    assert block.text == expected("s1", 0, 12, 20)


async def test_a_continuation_at_the_tool_call_has_no_text_block(client: AsyncAnthropic) -> None:
    messages = [user(marked("hi")), {"role": "assistant", "content": expected("s1", 0, 0, 12)}]
    async with client.messages.stream(model=MODEL, messages=messages, max_tokens=8, tools=ANTHROPIC_TOOLS) as stream:
        answer = await stream.get_final_message()
    (call,) = answer.content
    assert call.type == "tool_use"
    assert call.input == {"input": expected("s1", 0, 12, 20)}


async def test_the_next_turn_reads_this_turn_from_the_cache(client: AsyncAnthropic) -> None:
    messages: list[Any] = [user(marked("word " * 400))]
    first = await client.messages.create(model=MODEL, messages=messages, max_tokens=64, tools=ANTHROPIC_TOOLS)
    messages.append({"role": "assistant", "content": [block.model_dump() for block in first.content]})
    call = first.content[-1]
    assert call.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": call.id, "content": marked("ok", turn=1)}
    messages.append({"role": "user", "content": [result]})
    second = await client.messages.create(model=MODEL, messages=messages, max_tokens=8, tools=ANTHROPIC_TOOLS)
    known = first.usage.input_tokens + 64
    assert known - 32 <= (second.usage.cache_read_input_tokens or 0) <= known


async def test_errors_have_the_format_of_the_api(client: AsyncAnthropic) -> None:
    with pytest.raises(BadRequestError) as caught:
        await client.post("/v1/messages", body={"messages": [user("hi")]}, cast_to=object)
    body: Any = caught.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == "invalid_request_error"
    assert "max_tokens" in body["error"]["message"]
    with pytest.raises(BadRequestError):
        await client.messages.create(model=MODEL, messages=[user("x" * 540_000)], max_tokens=5)
    with pytest.raises(NotFoundError) as missing:
        await client.post("/v1/nothing", body={}, cast_to=object)
    missing_body: Any = missing.value.body
    assert missing_body["error"]["type"] == "not_found_error"


async def test_during_a_cold_start_the_answer_is_503() -> None:
    async with running(cold_start_s=3600) as cold:
        async with AsyncAnthropic(base_url=cold.url, api_key="none", max_retries=0) as client:
            with pytest.raises(InternalServerError) as caught:
                await client.messages.create(model=MODEL, messages=[user("hi")], max_tokens=4)
        assert caught.value.status_code == 503


async def test_the_list_of_models_contains_the_model(client: AsyncAnthropic) -> None:
    assert [model.id async for model in client.models.list()] == [MODEL]
