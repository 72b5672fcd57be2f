"""Dialects of one tool call in OpenAI chat completions: how its pieces are numbered, named, and put together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import (
    DONE,
    STOP,
    TEXT,
    chunk_of,
    event,
    tool,
    tools_of,
    words,
)
from tests.support.dialects.play import play, problems

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'


CORRUPT = Outcome.CORRUPT


def pieces_of(*pieces: dict[str, Any]) -> bytes:
    """A chunk with these pieces of tool calls."""
    return event(chunk_of({"tool_calls": list(pieces)}))


ONE = [
    tools_of(
        "in-pieces",
        "the usual form",
        tool(0, "", id="a", name="bash"),
        tool(0, LS[:4]),
        tool(0, LS[4:]),
        tools=(LS,),
        pieces=3,
        terminals=1,
    ),
    tools_of("in-one-piece", "", tool(0, LS, id="a", name="bash"), tools=(LS,), pieces=1),
    tools_of("text-before", "", words(), tool(0, LS, id="a", name="bash"), text=TEXT, tools=(LS,), pieces=9),
    tools_of(
        "without-index",
        "one call",
        tool(None, "", id="a", name="bash"),
        tool(None, LS[:4]),
        tool(None, LS[4:]),
        tools=(LS,),
    ),
    tools_of("index-only-at-first", "", tool(0, "", id="a", name="bash"), tool(None, LS), tools=(LS,)),
    tools_of(
        "index-null",
        "",
        pieces_of({"index": None, "id": "a", "function": {"name": "bash", "arguments": LS}}),
        tools=(LS,),
    ),
    tools_of("index-from-one", "", tool(1, "", id="a", name="bash"), tool(1, LS), tools=(LS,)),
    tools_of(
        "id-null-in-later-pieces", "", tool(0, "", id="a", name="bash"), tool(0, LS, id=None, name=None), tools=(LS,)
    ),
    tools_of(
        "id-empty-in-later-pieces", "", tool(0, "", id="a", name="bash"), tool(0, LS, id="", name=""), tools=(LS,)
    ),
    tools_of(
        "id-repeated",
        "",
        tool(0, "", id="a", name="bash"),
        tool(0, LS[:5], id="a"),
        tool(0, LS[5:], id="a"),
        tools=(LS,),
    ),
    tools_of(
        "id-and-name-repeated", "", *(tool(0, part, id="a", name="bash") for part in (LS[:5], LS[5:])), tools=(LS,)
    ),
    tools_of(
        "name-repeated-without-id",
        "the SDK puts pieces with an index together",
        *(tool(0, part, name="bash") for part in (LS[:5], LS[5:])),
        tools=(LS,),
    ),
    tools_of(
        "name-repeated-without-id-and-index",
        "incomplete arguments go on",
        *(tool(None, part, name="bash") for part in (LS[:5], LS[5:])),
        tools=(LS,),
    ),
    tools_of(
        "new-id-in-every-piece",
        "an older vLLM; the SDK goes by the index",
        tool(0, "", id="a", name="bash"),
        tool(0, LS[:5], id="b"),
        tool(0, LS[5:], id="c"),
        tools=(LS,),
    ),
    tools_of("id-after-the-name", "", tool(0, "", name="bash"), tool(0, LS, id="a"), tools=(LS,)),
    tools_of("name-in-pieces", "", tool(0, "", id="a", name="ba"), tool(0, "", name="sh"), tool(0, LS), tools=(LS,)),
    tools_of("no-id-at-all", "", tool(0, "", name="bash"), tool(0, LS), tools=(LS,)),
    tools_of("no-arguments", "a tool without parameters", tool(0, None, id="a", name="bash"), tools=("",), pieces=1),
    tools_of(
        "arguments-null",
        "",
        pieces_of({"index": 0, "id": "a", "function": {"name": "bash", "arguments": None}}),
        tools=("",),
    ),
    tools_of("arguments-empty-object", "", tool(0, "{}", id="a", name="bash"), tools=("{}",), pieces=1),
    tools_of("arguments-blank", "as good as none", tool(0, " ", id="a", name="bash"), tools=(" ",)),
    tools_of(
        "arguments-an-object",
        "the API says text",
        tool(0, {"input": "ls"}, id="a", name="bash"),
        outcome=CORRUPT,
        text=None,
        says="an object",
    ),
    tools_of(
        "arguments-an-array",
        "the API says text",
        tool(0, ["ls"], id="a", name="bash"),
        outcome=CORRUPT,
        text=None,
        says="an array",
    ),
    tools_of(
        "arguments-an-object-with-a-lone-surrogate",
        "nothing raises",
        tool(0, "x", id="a", name="bash").replace(b'"x"', b'{"a": "\\ud800"}'),
        outcome=CORRUPT,
        text=None,
    ),
    tools_of(
        "arguments-not-json",
        "the call cannot be run",
        tool(0, "ls -la", id="a", name="bash"),
        outcome=CORRUPT,
        text=None,
        says="not JSON",
    ),
    tools_of(
        "arguments-cut", "the call cannot be run", tool(0, LS[:-3], id="a", name="bash"), outcome=CORRUPT, text=None
    ),
    tools_of(
        "arguments-json-in-json",
        "text that is JSON",
        tool(0, json.dumps(LS), id="a", name="bash"),
        tools=(json.dumps(LS),),
    ),
    tools_of("arguments-with-spaces-around", "", tool(0, f" {LS}\n", id="a", name="bash"), tools=(f" {LS}\n",)),
    tools_of(
        "arguments-with-escapes",
        "",
        tool(0, '{"input": "a\\"b\\u00e9"}', id="a", name="bash"),
        tools=('{"input": "a\\"b\\u00e9"}',),
    ),
    tools_of("finish-stop", "some servers say stop", tool(0, LS, id="a", name="bash"), STOP, DONE, tools=(LS,)),
    tools_of("extra-empty-piece", "nothing in it", tool(0, LS, id="a", name="bash"), tool(0, ""), tools=(LS,)),
    tools_of(
        "extra-empty-piece-with-a-new-id",
        "no call without a name",
        tool(0, LS, id="a", name="bash"),
        tool(0, "", id="b"),
        tools=(LS,),
    ),
    tools_of(
        "type-missing",
        "",
        pieces_of({"index": 0, "id": "a", "function": {"name": "bash", "arguments": LS}}),
        tools=(LS,),
    ),
]

NONE = [
    *(
        tools_of(
            f"no-call-{name}",
            "nothing in it",
            words(),
            event(chunk_of(delta)),
            STOP,
            DONE,
            text=TEXT,
            tools=(),
            pieces=8,
        )
        for name, delta in (
            ("null", {"tool_calls": None}),
            ("empty-list", {"tool_calls": []}),
            ("object", {"tool_calls": {}}),
            ("of-null", {"tool_calls": [None]}),
            ("of-empty-objects", {"tool_calls": [{}]}),
            ("function-null", {"tool_calls": [{"index": 0, "function": None}]}),
            ("function-empty", {"tool_calls": [{"index": 0, "function": {}}]}),
            ("function-call-null", {"function_call": None}),
            ("function-call-empty", {"function_call": {}}),
        )
    ),
    tools_of(
        "function-null-at-first",
        "the name comes later",
        pieces_of({"index": 0, "id": "a", "function": None}),
        tool(0, "", name="bash"),
        tool(0, LS),
        tools=(LS,),
    ),
]


@pytest.mark.parametrize("dialect", [*ONE, *NONE], ids=lambda dialect: dialect.name)
def test_a_dialect_of_tool_calls_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


def test_a_name_in_pieces_is_put_together_and_a_repeated_one_is_not() -> None:
    records = {dialect.name: play(dialect) for dialect in ONE if "name" in dialect.name}
    names = {name: record.answer.tool_calls[0].name for name, record in records.items() if record.answer}
    assert set(names.values()) == {"bash"}, names
