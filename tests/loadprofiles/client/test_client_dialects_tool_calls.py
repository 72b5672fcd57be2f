"""Dialects of tool calls in OpenAI chat completions: how pieces are numbered, named, and put together."""

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


ONE = [
    tools_of("in-pieces", "the usual form", tool(0, "", id="a", name="bash"), tool(0, LS[:4]), tool(0, LS[4:]), tools=(LS,), pieces=3, terminals=1),
    tools_of("in-one-piece", "", tool(0, LS, id="a", name="bash"), tools=(LS,), pieces=1),
    tools_of("text-before", "", words(), tool(0, LS, id="a", name="bash"), text=TEXT, tools=(LS,), pieces=9),
    tools_of("without-index", "one call", tool(None, "", id="a", name="bash"), tool(None, LS[:4]), tool(None, LS[4:]), tools=(LS,)),
    tools_of("index-only-at-first", "", tool(0, "", id="a", name="bash"), tool(None, LS), tools=(LS,)),
    tools_of("index-null", "", pieces_of({"index": None, "id": "a", "function": {"name": "bash", "arguments": LS}}), tools=(LS,)),
    tools_of("index-from-one", "", tool(1, "", id="a", name="bash"), tool(1, LS), tools=(LS,)),
    tools_of("id-null-in-later-pieces", "", tool(0, "", id="a", name="bash"), tool(0, LS, id=None, name=None), tools=(LS,)),
    tools_of("id-empty-in-later-pieces", "", tool(0, "", id="a", name="bash"), tool(0, LS, id="", name=""), tools=(LS,)),
    tools_of("id-repeated", "", tool(0, "", id="a", name="bash"), tool(0, LS[:5], id="a"), tool(0, LS[5:], id="a"), tools=(LS,)),
    tools_of("id-and-name-repeated", "", *(tool(0, part, id="a", name="bash") for part in (LS[:5], LS[5:])), tools=(LS,)),
    tools_of("name-repeated-without-id", "the SDK puts pieces with an index together", *(tool(0, part, name="bash") for part in (LS[:5], LS[5:])), tools=(LS,)),
    tools_of("name-repeated-without-id-and-index", "incomplete arguments go on", *(tool(None, part, name="bash") for part in (LS[:5], LS[5:])), tools=(LS,)),
    tools_of("new-id-in-every-piece", "an older vLLM; the SDK goes by the index", tool(0, "", id="a", name="bash"), tool(0, LS[:5], id="b"), tool(0, LS[5:], id="c"), tools=(LS,)),
    tools_of("id-after-the-name", "", tool(0, "", name="bash"), tool(0, LS, id="a"), tools=(LS,)),
    tools_of("name-in-pieces", "", tool(0, "", id="a", name="ba"), tool(0, "", name="sh"), tool(0, LS), tools=(LS,)),
    tools_of("no-id-at-all", "", tool(0, "", name="bash"), tool(0, LS), tools=(LS,)),
    tools_of("no-arguments", "a tool without parameters", tool(0, None, id="a", name="bash"), tools=("",), pieces=1),
    tools_of("arguments-null", "", pieces_of({"index": 0, "id": "a", "function": {"name": "bash", "arguments": None}}), tools=("",)),
    tools_of("arguments-empty-object", "", tool(0, "{}", id="a", name="bash"), tools=("{}",), pieces=1),
    tools_of("arguments-blank", "as good as none", tool(0, " ", id="a", name="bash"), tools=(" ",)),
    tools_of("arguments-an-object", "the API says text", tool(0, {"input": "ls"}, id="a", name="bash"), outcome=CORRUPT, text=None, says="an object"),
    tools_of("arguments-an-array", "the API says text", tool(0, ["ls"], id="a", name="bash"), outcome=CORRUPT, text=None, says="an array"),
    tools_of("arguments-an-object-with-a-lone-surrogate", "nothing raises", tool(0, "x", id="a", name="bash").replace(b'"x"', b'{"a": "\\ud800"}'), outcome=CORRUPT, text=None),
    tools_of("arguments-not-json", "the call cannot be run", tool(0, "ls -la", id="a", name="bash"), outcome=CORRUPT, text=None, says="not JSON"),
    tools_of("arguments-cut", "the call cannot be run", tool(0, LS[:-3], id="a", name="bash"), outcome=CORRUPT, text=None),
    tools_of("arguments-json-in-json", "text that is JSON", tool(0, json.dumps(LS), id="a", name="bash"), tools=(json.dumps(LS),)),
    tools_of("arguments-with-spaces-around", "", tool(0, f" {LS}\n", id="a", name="bash"), tools=(f" {LS}\n",)),
    tools_of("arguments-with-escapes", "", tool(0, '{"input": "a\\"b\\u00e9"}', id="a", name="bash"), tools=('{"input": "a\\"b\\u00e9"}',)),
    tools_of("finish-stop", "some servers say stop", tool(0, LS, id="a", name="bash"), STOP, DONE, tools=(LS,)),
    tools_of("extra-empty-piece", "nothing in it", tool(0, LS, id="a", name="bash"), tool(0, ""), tools=(LS,)),
    tools_of("extra-empty-piece-with-a-new-id", "no call without a name", tool(0, LS, id="a", name="bash"), tool(0, "", id="b"), tools=(LS,)),
    tools_of("type-missing", "", pieces_of({"index": 0, "id": "a", "function": {"name": "bash", "arguments": LS}}), tools=(LS,)),
]  # fmt: skip

NONE = [
    *(
        tools_of(f"no-call-{name}", "nothing in it", words(), event(chunk_of(delta)), STOP, DONE, text=TEXT, tools=(), pieces=8)
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
    tools_of("function-null-at-first", "the name comes later", pieces_of({"index": 0, "id": "a", "function": None}), tool(0, "", name="bash"), tool(0, LS), tools=(LS,)),
]  # fmt: skip

SEVERAL = [
    tools_of("two-one-after-another", "", tool(0, "", id="a", name="bash"), tool(0, LS), tool(1, "", id="b", name="bash"), tool(1, PWD), tools=BOTH),
    tools_of("two-interleaved", "the index says which", tool(0, "", id="a", name="bash"), tool(1, "", id="b", name="bash"), tool(0, LS[:6]), tool(1, PWD[:6]), tool(0, LS[6:]), tool(1, PWD[6:]), tools=BOTH),
    tools_of("two-in-one-chunk", "", pieces_of(*({"index": i, "id": str(i), "function": {"name": "bash", "arguments": text}} for i, text in enumerate(BOTH))), tools=BOTH, pieces=1),
    tools_of("two-under-one-index", "a new id and a name begin a call", tool(0, LS, id="a", name="bash"), tool(0, PWD, id="b", name="bash"), tools=BOTH),
    tools_of("two-under-one-index-in-pieces", "", tool(0, "", id="a", name="bash"), tool(0, LS), tool(0, "", id="b", name="bash"), tool(0, PWD), tools=BOTH),
    tools_of("two-without-index", "by their ids", tool(None, LS, id="a", name="bash"), tool(None, PWD, id="b", name="bash"), tools=BOTH),
    tools_of("two-without-index-in-pieces", "", tool(None, "", id="a", name="bash"), tool(None, LS), tool(None, "", id="b", name="bash"), tool(None, PWD), tools=BOTH),
    tools_of("two-without-index-interleaved", "by their ids", tool(None, LS[:6], id="a", name="bash"), tool(None, PWD[:6], id="b", name="bash"), tool(None, LS[6:], id="a"), tool(None, PWD[6:], id="b"), tools=BOTH),
    tools_of("two-without-index-and-id", "complete arguments are complete", tool(None, LS, name="bash"), tool(None, PWD, name="bash"), tools=BOTH),
    tools_of("two-with-text-indexes", "readable", *(pieces_of({"index": i, "id": f"c{i}", "function": {"name": "bash", "arguments": ""}}) for i in "01"), *(pieces_of({"index": i, "function": {"arguments": part}}) for i, part in (("0", LS[:4]), ("1", PWD[:4]), ("0", LS[4:]), ("1", PWD[4:]))), tools=BOTH),
    tools_of("two-with-one-id", "the index says which", tool(0, LS, id="a", name="bash"), tool(1, PWD, id="a", name="bash"), tools=BOTH),
    tools_of("two-with-ids-null", "the index says which", tool(0, LS, id=None, name="bash"), tool(1, PWD, id=None, name="bash"), tools=BOTH),
    tools_of("two-equal", "the same command twice", tool(0, LS, id="a", name="bash"), tool(1, LS, id="b", name="bash"), tools=(LS, LS)),
    tools_of("two-without-arguments", "", tool(0, "", id="a", name="bash"), tool(1, "", id="b", name="bash"), tools=("", "")),
    tools_of("indexes-with-a-gap", "", tool(0, LS, id="a", name="bash"), tool(4, PWD, id="b", name="bash"), tools=BOTH),
    tools_of("indexes-backwards", "in the order of their beginning", tool(1, LS, id="a", name="bash"), tool(0, PWD, id="b", name="bash"), tools=BOTH),
    tools_of("many", "", *(tool(i, f'{{"n": {i}}}', id=f"c{i}", name="bash") for i in range(40)), tools=tuple(f'{{"n": {i}}}' for i in range(40))),
    tools_of("one-of-two-is-cut", "that one cannot be run", tool(0, LS, id="a", name="bash"), tool(1, PWD[:6], id="b", name="bash"), outcome=CORRUPT, text=None),
    tools_of("text-between", "", tool(0, LS, id="a", name="bash"), words(), tool(1, PWD, id="b", name="bash"), text=TEXT, tools=BOTH),
]  # fmt: skip

LENGTH = event(chunk_of(finish="length")) + DONE
OTHERS = [
    stream("cut-by-length", "the limit explains it", tool(0, LS[:6], id="a", name="bash"), LENGTH, text="", tools=(LS[:6],)),
    tools_of("function-call", "the field before tool_calls", legacy(name="bash", arguments=""), legacy(arguments=LS[:4]), legacy(arguments=LS[4:]), tools=(LS,), pieces=3),
    tools_of("function-call-and-tool-call", "the same call twice", event(chunk_of({"function_call": {"name": "bash", "arguments": LS}, "tool_calls": [{"index": 0, "id": "a", "function": {"name": "bash", "arguments": LS}}]})), tools=(LS,)),
]  # fmt: skip


def whole_calls(*calls: dict[str, Any]) -> Any:
    """A body whose message has these tool calls."""
    return completion({"role": "assistant", "content": None, "tool_calls": list(calls)}, "tool_calls")


def whole_call(arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "a", "type": "function", "function": {"name": "bash", "arguments": arguments}} | fields


WHOLE = [
    whole("whole-two", "", whole_calls(whole_call(LS), whole_call(PWD, id="b")), text="", tools=BOTH),
    whole("whole-two-with-one-id", "each element is a call", whole_calls(whole_call(LS), whole_call(PWD)), text="", tools=BOTH),
    whole("whole-two-without-ids", "", whole_calls(whole_call(LS, id=None), whole_call(PWD, id=None)), text="", tools=BOTH),
    whole("whole-two-without-ids-and-arguments", "", whole_calls(whole_call("", id=None), whole_call(PWD, id="")), text="", tools=("", PWD)),
    whole("whole-two-with-one-index", "", whole_calls(whole_call(LS, index=0), whole_call(PWD, index=0, id="b")), text="", tools=BOTH),
    whole("whole-arguments-an-object", "the API says text", whole_calls(whole_call({"input": "ls"})), outcome=CORRUPT, says="an object"),
    whole("whole-arguments-not-json", "", whole_calls(whole_call("ls")), outcome=CORRUPT, says="not JSON"),
    whole("whole-calls-null", "", completion({"role": "assistant", "content": TEXT, "tool_calls": None}), tools=()),
    whole("whole-calls-of-null", "", completion({"role": "assistant", "content": TEXT, "tool_calls": [None, {}]}), tools=()),
    whole("whole-function-call", "", completion({"content": None, "function_call": {"name": "bash", "arguments": LS}}, "function_call"), text="", tools=(LS,)),
]  # fmt: skip


@pytest.mark.parametrize("dialect", [*ONE, *NONE, *SEVERAL, *OTHERS, *WHOLE], ids=lambda dialect: dialect.name)
def test_a_dialect_of_tool_calls_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


def test_a_name_in_pieces_is_put_together_and_a_repeated_one_is_not() -> None:
    records = {dialect.name: play(dialect) for dialect in ONE if "name" in dialect.name}
    names = {name: record.answer.tool_calls[0].name for name, record in records.items() if record.answer}
    assert set(names.values()) == {"bash"}, names
