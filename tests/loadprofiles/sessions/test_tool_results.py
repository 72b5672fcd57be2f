"""A conversation answers each tool call with a message of its own, and never has an empty answer."""

from __future__ import annotations

import json

import pytest

from loadprofiles.sessions.session import CallResult, Message
from loadprofiles.sessions.tool_results import answer_message, pending_calls, tool_results


def result(text: str, *arguments: str) -> CallResult:
    return CallResult(True, text, arguments, "ok")


def test_each_tool_call_gets_an_id_of_its_own() -> None:
    message = answer_message(result("Let me", '{"a":1}', '{"b":2}'), 3)
    assert [(call.id, call.arguments) for call in message.tool_calls] == [
        ("call_3", '{"a":1}'),
        ("call_3_1", '{"b":2}'),
    ]


@pytest.mark.parametrize("arguments", ["", "  ", "not json", '"text"', "[1]", '{"cut', "null", "17"])
def test_arguments_are_always_the_text_of_an_object(arguments: str) -> None:
    (call,) = answer_message(result("", arguments), 0).tool_calls
    assert isinstance(json.loads(call.arguments), dict)


def test_an_answer_without_text_and_tool_calls_gets_a_text() -> None:
    assert [answer_message(result(text), 0).text for text in ("", " \n", "x")] == ["(no text)", "(no text)", "x"]
    assert answer_message(result("", "{}"), 0).text == ""


def test_the_last_of_several_results_carries_the_text() -> None:
    answer = answer_message(result("", "{}", "{}", "{}"), 1)
    results = tool_results(pending_calls([answer]), "out [marker]")
    assert [message.text for message in results] == ["done", "done", "out [marker]"]
    assert [message.tool_call_id for message in results] == [call.id for call in answer.tool_calls]


def test_calls_are_pending_until_they_are_answered() -> None:
    answer = answer_message(result("", "{}", "{}"), 1)
    one, other = tool_results(answer.tool_calls, "x")
    assert pending_calls([answer, one]) == [answer.tool_calls[1]]
    assert pending_calls([answer, one, other]) == []
    assert pending_calls([answer, one, other, Message("user", "x")]) == []
    assert pending_calls([]) == []
