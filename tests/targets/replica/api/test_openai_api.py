"""The official `openai` client against a replica."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError, InternalServerError, NotFoundError

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import MODEL, TOOLS, chat, expected, marked, post, put, running


@pytest.fixture
async def client(replica: ReplicaServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{replica.url}/v1", api_key="none", max_retries=0) as found:
        yield found


def user(text: str) -> Any:
    return {"role": "user", "content": text}


async def test_an_answer_has_the_expected_tokens_and_its_usage(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model=MODEL, messages=[user(marked("hi"))], max_tokens=9)
    assert answer.choices[0].message.content == expected("s1", 0, 0, 9)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == MODEL
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 9
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 9
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 0


async def test_a_stream_has_one_event_per_token_and_ends_with_finish_and_usage(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model=MODEL,
        messages=[user(marked("hi"))],
        max_completion_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert [len(text) for text in texts] == [4] * 20
    assert "".join(texts) == expected("s1", 0, 0, 20)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[0].choices[0].delta.role == "assistant"
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.completion_tokens == 20
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_has_no_usage_chunk_unless_requested(replica: ReplicaServer) -> None:
    status, body = await post(replica, chat(marked("hi"), max_tokens=3))
    assert status == 200
    assert b"usage" not in body
    assert body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("total", [1, 2, 30])
async def test_with_tools_an_answer_ends_in_one_call_streamed_or_not(client: AsyncOpenAI, total: int) -> None:
    call_tokens = min(8, total // 2)
    request: dict[str, Any] = {"model": MODEL, "messages": [user(marked("hi"))], "max_tokens": total, "tools": TOOLS}
    whole = (await client.chat.completions.create(**request)).choices[0]
    assert whole.finish_reason == "tool_calls"
    assert whole.message.tool_calls is not None
    (call,) = whole.message.tool_calls
    assert json.loads(call.function.arguments) == {"input": expected("s1", 0, total - call_tokens, total)}
    assert (whole.message.content or "") == expected("s1", 0, 0, total - call_tokens)

    text, arguments, names, finish = "", "", [], None
    async for chunk in await client.chat.completions.create(**request, stream=True):
        choice = chunk.choices[0]
        text += choice.delta.content or ""
        for part in choice.delta.tool_calls or []:
            assert part.function is not None
            arguments += part.function.arguments or ""
            names += [part.function.name] if part.function.name else []
        finish = choice.finish_reason or finish
    assert (text, arguments) == (whole.message.content or "", call.function.arguments)
    assert names == [call.function.name]
    assert finish == "tool_calls"


async def test_the_clients_stream_helper_assembles_the_call(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(
        model=MODEL, messages=[user(marked("hi"))], max_tokens=20, tools=TOOLS
    ) as stream:
        final = await stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.name in {tool["function"]["name"] for tool in TOOLS}


async def test_a_named_tool_choice_is_called(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model=MODEL,
        messages=[user("no marker")],
        max_tokens=16,
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "run_tests"}},
    )
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.name == "run_tests"


async def test_a_continuation_sends_only_the_rest(client: AsyncOpenAI) -> None:
    partial: Any = {"role": "assistant", "content": expected("s1", 0, 0, 12)}
    answer = await client.chat.completions.create(
        model=MODEL,
        messages=[user(marked("hi")), partial],
        max_tokens=8,
        extra_body={"continue_final_message": True, "add_generation_prompt": False, "some_router_field": 1},
    )
    assert answer.choices[0].message.content == expected("s1", 0, 12, 20)


async def test_the_next_turn_finds_this_turn_in_the_prefix_cache(client: AsyncOpenAI) -> None:
    messages: list[Any] = [user(marked("word " * 400))]
    first = await client.chat.completions.create(model=MODEL, messages=messages, max_tokens=64, tools=TOOLS)
    assert first.usage is not None
    messages.append(first.choices[0].message.model_dump(exclude_none=True))
    call = messages[-1]["tool_calls"][0]
    messages.append({"role": "tool", "tool_call_id": call["id"], "content": marked("done", turn=1)})
    second = await client.chat.completions.create(model=MODEL, messages=messages, max_tokens=8, tools=TOOLS)
    assert second.usage is not None
    assert second.usage.prompt_tokens_details is not None
    cached = second.usage.prompt_tokens_details.cached_tokens
    assert cached is not None
    known = first.usage.prompt_tokens + first.usage.completion_tokens
    assert known - 32 <= cached <= known


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"messages": []}, "at least one message"),
        ({"max_tokens": 0}, "at least 1"),
        ({"n": 2}, "only 1"),
        ({"messages": "no list"}, "messages"),
        ({"tools": [{"type": "function"}]}, "needs a name"),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "nobody"}}}, "tool_choice"),
    ],
)
async def test_an_invalid_request_is_answered_with_400_and_the_mistake(
    client: AsyncOpenAI, change: dict[str, Any], text: str
) -> None:
    body = {"model": MODEL, "messages": [user("hi")], "max_tokens": 4} | change
    with pytest.raises(BadRequestError) as caught:
        await client.post("/chat/completions", body=body, cast_to=object)
    assert text in caught.value.message
    assert caught.value.type == "invalid_request_error"


async def test_invalid_json_and_missing_messages_are_400(replica: ReplicaServer, client: AsyncOpenAI) -> None:
    for content in (b"{", b'"\xff"', b"{}"):
        with pytest.raises(BadRequestError):
            await client.post("/chat/completions", content=content, cast_to=object)
    assert replica.snapshot()["requests"] == 3
    assert replica.snapshot()["running"] == 0


async def test_a_prompt_over_the_context_limit_is_400_with_its_code(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        await client.chat.completions.create(model=MODEL, messages=[user("x" * 540_000)], max_tokens=5)
    assert caught.value.code == "context_length_exceeded"


async def test_an_unknown_path_is_404(client: AsyncOpenAI) -> None:
    with pytest.raises(NotFoundError):
        await client.embeddings.create(model=MODEL, input="x")


async def test_during_a_cold_start_the_answer_is_503() -> None:
    async with running(cold_start_s=3600) as cold:
        async with AsyncOpenAI(base_url=f"{cold.url}/v1", api_key="none", max_retries=0) as client:
            with pytest.raises(InternalServerError) as caught:
                await client.chat.completions.create(model=MODEL, messages=[user("hi")], max_tokens=4)
        assert caught.value.status_code == 503


async def test_the_list_of_models_contains_the_model(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == [MODEL]


async def test_a_stream_without_a_terminal_event_raises_no_error_in_the_client(
    client: AsyncOpenAI, replica: ReplicaServer
) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": 5, "how": "clean"})
    stream = await client.chat.completions.create(
        model=MODEL, messages=[user(marked("hi"))], max_tokens=20, stream=True
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == expected("s1", 0, 0, 5)
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)
