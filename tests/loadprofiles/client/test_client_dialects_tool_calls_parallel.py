"""Dialects of several tool calls in one answer of OpenAI chat completions, and of whole bodies with tool calls."""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import (
    DONE,
    TEXT,
    chunk_of,
    completion,
    event,
    stream,
    tool,
    tools_of,
    whole,
    words,
)
from tests.support.dialects.play import play, problems

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'

BOTH = (LS, PWD)

CORRUPT = Outcome.CORRUPT


def pieces_of(*pieces: dict[str, Any]) -> bytes:
    """A chunk with these pieces of tool calls."""
    return event(chunk_of({"tool_calls": list(pieces)}))


def legacy(**fields: Any) -> bytes:
    """A chunk with a piece of a `function_call`, the field before `tool_calls`."""
    return event(chunk_of({"function_call": fields}))


SEVERAL = [
    tools_of(
        "two-one-after-another",
        "",
        tool(0, "", id="a", name="bash"),
        tool(0, LS),
        tool(1, "", id="b", name="bash"),
        tool(1, PWD),
        tools=BOTH,
    ),
    tools_of(
        "two-interleaved",
        "the index says which",
        tool(0, "", id="a", name="bash"),
        tool(1, "", id="b", name="bash"),
        tool(0, LS[:6]),
        tool(1, PWD[:6]),
        tool(0, LS[6:]),
        tool(1, PWD[6:]),
        tools=BOTH,
    ),
    tools_of(
        "two-in-one-chunk",
        "",
        pieces_of(
            *(
                {"index": i, "id": str(i), "function": {"name": "bash", "arguments": text}}
                for i, text in enumerate(BOTH)
            )
        ),
        tools=BOTH,
        pieces=1,
    ),
    tools_of(
        "two-under-one-index",
        "a new id and a name begin a call",
        tool(0, LS, id="a", name="bash"),
        tool(0, PWD, id="b", name="bash"),
        tools=BOTH,
    ),
    tools_of(
        "two-under-one-index-in-pieces",
        "",
        tool(0, "", id="a", name="bash"),
        tool(0, LS),
        tool(0, "", id="b", name="bash"),
        tool(0, PWD),
        tools=BOTH,
    ),
    tools_of(
        "two-without-index",
        "by their ids",
        tool(None, LS, id="a", name="bash"),
        tool(None, PWD, id="b", name="bash"),
        tools=BOTH,
    ),
    tools_of(
        "two-without-index-in-pieces",
        "",
        tool(None, "", id="a", name="bash"),
        tool(None, LS),
        tool(None, "", id="b", name="bash"),
        tool(None, PWD),
        tools=BOTH,
    ),
    tools_of(
        "two-without-index-interleaved",
        "by their ids",
        tool(None, LS[:6], id="a", name="bash"),
        tool(None, PWD[:6], id="b", name="bash"),
        tool(None, LS[6:], id="a"),
        tool(None, PWD[6:], id="b"),
        tools=BOTH,
    ),
    tools_of(
        "two-without-index-and-id",
        "complete arguments are complete",
        tool(None, LS, name="bash"),
        tool(None, PWD, name="bash"),
        tools=BOTH,
    ),
    tools_of(
        "two-with-text-indexes",
        "readable",
        *(pieces_of({"index": i, "id": f"c{i}", "function": {"name": "bash", "arguments": ""}}) for i in "01"),
        *(
            pieces_of({"index": i, "function": {"arguments": part}})
            for i, part in (("0", LS[:4]), ("1", PWD[:4]), ("0", LS[4:]), ("1", PWD[4:]))
        ),
        tools=BOTH,
    ),
    tools_of(
        "two-with-one-id",
        "the index says which",
        tool(0, LS, id="a", name="bash"),
        tool(1, PWD, id="a", name="bash"),
        tools=BOTH,
    ),
    tools_of(
        "two-with-ids-null",
        "the index says which",
        tool(0, LS, id=None, name="bash"),
        tool(1, PWD, id=None, name="bash"),
        tools=BOTH,
    ),
    tools_of(
        "two-equal",
        "the same command twice",
        tool(0, LS, id="a", name="bash"),
        tool(1, LS, id="b", name="bash"),
        tools=(LS, LS),
    ),
    tools_of(
        "two-without-arguments", "", tool(0, "", id="a", name="bash"), tool(1, "", id="b", name="bash"), tools=("", "")
    ),
    tools_of("indexes-with-a-gap", "", tool(0, LS, id="a", name="bash"), tool(4, PWD, id="b", name="bash"), tools=BOTH),
    tools_of(
        "indexes-backwards",
        "in the order of their beginning",
        tool(1, LS, id="a", name="bash"),
        tool(0, PWD, id="b", name="bash"),
        tools=BOTH,
    ),
    tools_of(
        "many",
        "",
        *(tool(i, f'{{"n": {i}}}', id=f"c{i}", name="bash") for i in range(40)),
        tools=tuple(f'{{"n": {i}}}' for i in range(40)),
    ),
    tools_of(
        "one-of-two-is-cut",
        "that one cannot be run",
        tool(0, LS, id="a", name="bash"),
        tool(1, PWD[:6], id="b", name="bash"),
        outcome=CORRUPT,
        text=None,
    ),
    tools_of(
        "text-between",
        "",
        tool(0, LS, id="a", name="bash"),
        words(),
        tool(1, PWD, id="b", name="bash"),
        text=TEXT,
        tools=BOTH,
    ),
]

LENGTH = event(chunk_of(finish="length")) + DONE

OTHERS = [
    stream(
        "cut-by-length", "the limit explains it", tool(0, LS[:6], id="a", name="bash"), LENGTH, text="", tools=(LS[:6],)
    ),
    tools_of(
        "function-call",
        "the field before tool_calls",
        legacy(name="bash", arguments=""),
        legacy(arguments=LS[:4]),
        legacy(arguments=LS[4:]),
        tools=(LS,),
        pieces=3,
    ),
    tools_of(
        "function-call-and-tool-call",
        "the same call twice",
        event(
            chunk_of(
                {
                    "function_call": {"name": "bash", "arguments": LS},
                    "tool_calls": [{"index": 0, "id": "a", "function": {"name": "bash", "arguments": LS}}],
                }
            )
        ),
        tools=(LS,),
    ),
]


def whole_calls(*calls: dict[str, Any]) -> Any:
    """A body whose message has these tool calls."""
    return completion({"role": "assistant", "content": None, "tool_calls": list(calls)}, "tool_calls")


def whole_call(arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "a", "type": "function", "function": {"name": "bash", "arguments": arguments}} | fields


WHOLE = [
    whole("whole-two", "", whole_calls(whole_call(LS), whole_call(PWD, id="b")), text="", tools=BOTH),
    whole(
        "whole-two-with-one-id",
        "each element is a call",
        whole_calls(whole_call(LS), whole_call(PWD)),
        text="",
        tools=BOTH,
    ),
    whole(
        "whole-two-without-ids", "", whole_calls(whole_call(LS, id=None), whole_call(PWD, id=None)), text="", tools=BOTH
    ),
    whole(
        "whole-two-without-ids-and-arguments",
        "",
        whole_calls(whole_call("", id=None), whole_call(PWD, id="")),
        text="",
        tools=("", PWD),
    ),
    whole(
        "whole-two-with-one-index",
        "",
        whole_calls(whole_call(LS, index=0), whole_call(PWD, index=0, id="b")),
        text="",
        tools=BOTH,
    ),
    whole(
        "whole-arguments-an-object",
        "the API says text",
        whole_calls(whole_call({"input": "ls"})),
        outcome=CORRUPT,
        says="an object",
    ),
    whole("whole-arguments-not-json", "", whole_calls(whole_call("ls")), outcome=CORRUPT, says="not JSON"),
    whole("whole-calls-null", "", completion({"role": "assistant", "content": TEXT, "tool_calls": None}), tools=()),
    whole(
        "whole-calls-of-null",
        "",
        completion({"role": "assistant", "content": TEXT, "tool_calls": [None, {}]}),
        tools=(),
    ),
    whole(
        "whole-function-call",
        "",
        completion({"content": None, "function_call": {"name": "bash", "arguments": LS}}, "function_call"),
        text="",
        tools=(LS,),
    ),
]


@pytest.mark.parametrize("dialect", [*SEVERAL, *OTHERS, *WHOLE], ids=lambda dialect: dialect.name)
def test_several_tool_calls_of_an_answer_stay_apart(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
