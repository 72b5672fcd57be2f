"""Canonical text, keys, offsets and lengths: docs/wire.md, "Conversations"."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.tokens import token_stream, tokens_in
from targets.replica.api.anthropic_api import AnthropicApi
from targets.replica.api.conversation import (
    ContextLengthError,
    Finish,
    PlannedAnswer,
    block_hashes,
    natural_tokens,
    plan_answer,
)
from targets.replica.api.openai_api import OpenAIApi
from tests.support.replica_harness import ANTHROPIC_TOOLS, TOOLS, marked

LIMIT = 131_072


def openai_answer(messages: list[dict[str, Any]], limit: int = LIMIT, **more: Any) -> PlannedAnswer:
    return plan_answer(OpenAIApi().parse(json.dumps({"messages": messages} | more).encode()), limit)


def anthropic_answer(messages: list[dict[str, Any]], **more: Any) -> PlannedAnswer:
    return plan_answer(
        AnthropicApi().parse(json.dumps({"messages": messages, "max_tokens": 40} | more).encode()), LIMIT
    )


def as_openai(answer: PlannedAnswer, spacing: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.tool is not None:
        arguments = answer.arguments.replace('":"', f'":{spacing}"')
        call = {"id": "call_x", "type": "function", "function": {"name": answer.tool, "arguments": arguments}}
        message["tool_calls"] = [call]
    return message


@given(
    texts=st.lists(st.text(max_size=90), min_size=2, max_size=6),
    lengths=st.lists(st.integers(1, 70), min_size=6, max_size=6),
    tools=st.booleans(),
    spacing=st.sampled_from(["", " "]),
)
def test_next_turn_begins_with_the_blocks_of_this_prompt_and_its_answer(
    texts: list[str], lengths: list[int], tools: bool, spacing: str
) -> None:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You are a coding agent."}]
    answers: list[PlannedAnswer] = []
    for turn, text in enumerate(texts):
        messages.append({"role": "user", "content": marked(text, turn=turn)})
        more: dict[str, Any] = {"tools": TOOLS} if tools else {}
        answers.append(openai_answer(messages, max_tokens=lengths[turn], **more))
        messages.append(as_openai(answers[-1], spacing))
    for before, after in pairwise(answers):
        blocks = before.blocks()
        assert after.blocks()[: len(blocks)] == blocks
        assert len(blocks) == (before.prompt_tokens + before.count) // 16


def test_the_messages_api_keeps_the_prefix_including_tool_calls() -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": marked("Mend the bug.")}]
    first = anthropic_answer(messages, system="Be brief.", tools=ANTHROPIC_TOOLS)
    assert first.tool is not None
    content = [
        {"type": "text", "text": first.text},
        {"type": "tool_use", "id": "toolu_1", "name": first.tool, "input": json.loads(first.arguments)},
    ]
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "text", "text": marked("ok", turn=1)}],
    }
    messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    second = anthropic_answer(messages, system="Be brief.", tools=ANTHROPIC_TOOLS)
    assert second.blocks()[: len(first.blocks())] == first.blocks()
    assert second.key == "s1/main#1"


def test_strings_and_lists_of_parts_are_the_same_conversation() -> None:
    text = marked("hello")
    as_string = openai_answer([{"role": "user", "content": text}], max_tokens=9)
    as_parts = openai_answer([{"role": "user", "content": [{"type": "text", "text": text}]}], max_tokens=9)
    assert as_string == as_parts


def test_the_key_is_the_last_marker_outside_assistant_messages() -> None:
    messages = [
        {"role": "user", "content": marked("a", turn=3)},
        {"role": "assistant", "content": marked("quoted", session="other", turn=9)},
        {"role": "tool", "content": marked("b", turn=4), "tool_call_id": "x"},
        {"role": "user", "content": "no marker here"},
    ]
    assert openai_answer(messages, max_tokens=5).key == "s1/main#4"


@pytest.mark.parametrize("sent", [0, 1, 7, 31])
def test_a_continuation_starts_where_the_partial_answer_ends(sent: int) -> None:
    messages = [{"role": "user", "content": marked("go")}]
    whole = openai_answer(messages, max_tokens=32)
    partial = {"role": "assistant", "content": whole.tokens[: 4 * sent]}
    rest = openai_answer([*messages, partial], max_tokens=32 - sent, continue_final_message=True)
    assert (rest.key, rest.offset, rest.total) == (whole.key, sent, 32)
    assert whole.tokens[: 4 * sent] + rest.text == whole.text == token_stream(whole.key, 32)
    assert rest.blocks() == whole.blocks()


def test_a_continuation_before_the_tool_call_ends_in_the_same_call() -> None:
    messages = [{"role": "user", "content": marked("go")}]
    whole = openai_answer(messages, max_tokens=32, tools=TOOLS)
    partial = {"role": "assistant", "content": whole.text}
    rest = openai_answer([*messages, partial], max_tokens=8, tools=TOOLS)
    assert (rest.text, rest.arguments, rest.tool) == ("", whole.arguments, whole.tool)


def test_continue_final_message_false_begins_a_new_answer() -> None:
    messages = [{"role": "user", "content": marked("go")}, {"role": "assistant", "content": "x" * 40}]
    assert openai_answer(messages, max_tokens=8, continue_final_message=False).offset == 0
    assert openai_answer(messages, max_tokens=8).offset == 10


@pytest.mark.parametrize(("total", "call_tokens"), [(1, 0), (2, 1), (9, 4), (16, 8), (400, 8)])
def test_a_marked_answer_with_tools_ends_in_a_call_of_up_to_eight_tokens(total: int, call_tokens: int) -> None:
    answer = openai_answer([{"role": "user", "content": marked("go")}], max_tokens=total, tools=TOOLS)
    assert answer.finish is Finish.TOOL_CALLS
    assert json.loads(answer.arguments)["input"] == answer.tokens[4 * (total - call_tokens) :]
    assert answer.text == answer.tokens[: 4 * (total - call_tokens)]


def test_no_tool_is_called_if_the_choice_is_none_or_there_is_no_marker() -> None:
    by_choice = openai_answer(
        [{"role": "user", "content": marked("go")}], max_tokens=9, tools=TOOLS, tool_choice="none"
    )
    unmarked = openai_answer([{"role": "user", "content": "go"}], tools=TOOLS)
    assert by_choice.tool is None
    assert unmarked.tool is None
    required = openai_answer([{"role": "user", "content": "go"}], tools=TOOLS, tool_choice="required")
    assert required.tool in {"read_file", "edit_file", "run_tests"}


def test_without_a_marker_the_length_is_natural_and_capped_by_max_tokens() -> None:
    messages = [{"role": "user", "content": "What is a brownout?"}]
    free = openai_answer(messages)
    natural = natural_tokens(free.key)
    assert (free.total, free.finish) == (natural, Finish.STOP)
    capped = openai_answer(messages, max_tokens=natural - 1)
    assert (capped.total, capped.finish) == (natural - 1, Finish.LENGTH)
    partial = {"role": "assistant", "content": free.tokens[:40]}
    rest = openai_answer([*messages, partial])
    assert (rest.key, rest.offset, rest.total) == (free.key, 10, natural)


def test_prompt_and_answer_over_the_context_limit_are_rejected() -> None:
    messages = [{"role": "user", "content": "x" * 400}]
    with pytest.raises(ContextLengthError, match="maximum context length is 128 tokens"):
        openai_answer(messages, limit=128, max_tokens=64)
    assert openai_answer(messages, limit=128).total <= 128


def test_a_block_depends_on_all_text_before_it() -> None:
    text = "".join(f"{number:04d}" for number in range(64))
    hashes = block_hashes(text, tokens_in(text))
    changed = block_hashes("9999" + text[4:], tokens_in(text))
    assert len(hashes) == 4
    assert all(one != other for one, other in zip(hashes, changed, strict=True))
    assert block_hashes(text[:-4] + "9999", tokens_in(text))[:3] == hashes[:3]
