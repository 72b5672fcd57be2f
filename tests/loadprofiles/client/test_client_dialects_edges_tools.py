"""Dialects of tool calls and of errors in a stream at their edges.

`why` names the standard or rule, and after "SDK:" what the vendor's SDK was seen to do.
"""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import (
    DONE,
    END,
    PIECES,
    STOP,
    TEXT,
    chunk_of,
    event,
    stream,
    tool,
    tools_of,
    words,
)
from tests.support.dialects.play import play, problems

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'
BOTH = (LS, PWD)
GOOD = words() + END
TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT


def calls_of(*pieces: dict[str, Any]) -> bytes:
    """A chunk with these pieces of tool calls."""
    return event(chunk_of({"tool_calls": list(pieces)}))


TOOLS = [
    tools_of(
        "two-pieces-of-a-call-in-a-chunk",
        "one index, one call",
        calls_of(
            {"index": 0, "id": "a", "function": {"name": "bash", "arguments": LS[:5]}},
            {"index": 0, "function": {"arguments": LS[5:]}},
        ),
        tools=(LS,),
        pieces=1,
    ),
    tools_of(
        "index-always-zero-pieces-interleaved",
        "pieces under one index are joined, and are then no JSON; SDK: joined",
        tool(0, LS[:6], id="a", name="bash"),
        tool(0, PWD[:6], id="b", name="bash"),
        tool(0, LS[6:], id="a"),
        tool(0, PWD[6:], id="b"),
        outcome=CORRUPT,
        text=None,
    ),
    tools_of(
        "three-under-one-index",
        "a new id and a name begin a call",
        *(tool(0, f'{{"n": {n}}}', id=f"c{n}", name="bash") for n in range(3)),
        tools=('{"n": 0}', '{"n": 1}', '{"n": 2}'),
    ),
    tools_of(
        "two-names-without-ids",
        "another name begins a call",
        tool(None, LS, name="bash"),
        tool(None, PWD, name="read"),
        tools=BOTH,
    ),
    tools_of(
        "two-without-index-in-one-chunk",
        "each has its id",
        calls_of(*({"id": n, "function": {"name": "bash", "arguments": text}} for n, text in (("a", LS), ("b", PWD)))),
        tools=BOTH,
        pieces=1,
    ),
    tools_of(
        "two-without-index-id-and-arguments-in-one-chunk",
        "each element of the list is a call",
        calls_of(*({"function": {"name": "bash", "arguments": ""}} for _ in range(2))),
        tools=("", ""),
        pieces=1,
    ),
    tools_of("index-negative", "cannot be used, so absent", tool(-1, LS, id="a", name="bash"), tools=(LS,)),
    tools_of(
        "index-huge", "any number; SDK: ok", tool(10**9, LS[:5], id="a", name="bash"), tool(10**9, LS[5:]), tools=(LS,)
    ),
    tools_of(
        "index-fraction",
        "readable; SDK: ok",
        *(calls_of({"index": 1.0, "id": "a", "function": {"name": "bash", "arguments": p}}) for p in (LS[:5], LS[5:])),
        tools=(LS,),
    ),
    tools_of(
        "id-a-number",
        "cannot be used, the index says which",
        *(
            calls_of({"index": n, "id": n, "function": {"name": "bash", "arguments": text}})
            for n, text in enumerate(BOTH)
        ),
        tools=BOTH,
    ),
    tools_of(
        "id-only-at-first-then-arguments-null",
        "nothing in it; SDK: ok",
        tool(0, "", id="a", name="bash"),
        calls_of({"index": 0, "function": {"name": None, "arguments": None}}),
        tool(0, LS),
        tools=(LS,),
    ),
    tools_of(
        "type-null",
        "not needed; SDK: ok",
        calls_of({"index": 0, "id": "a", "type": None, "function": {"name": "bash", "arguments": LS}}),
        tools=(LS,),
    ),
    tools_of(
        "type-in-pieces",
        "not needed; SDK: ok",
        *(
            calls_of({"index": 0, "id": "a", "type": kind, "function": {"name": "", "arguments": p}})
            for kind, p in (("function", LS[:5]), ("", LS[5:]))
        ),
        tools=(LS,),
    ),
    tools_of("name-null-to-the-end", "the arguments are there", tool(0, LS, id="a"), tools=(LS,), pieces=1),
    tools_of(
        "name-only",
        "a tool without parameters; SDK: ok",
        calls_of({"index": 0, "function": {"name": "bash"}}),
        tools=("",),
        pieces=1,
    ),
    tools_of(
        "words-after-the-call",
        "order has no meaning; SDK: ok",
        tool(0, LS, id="a", name="bash"),
        words(),
        text=TEXT,
        tools=(LS,),
        pieces=9,
    ),
    tools_of(
        "words-and-a-piece-in-each-chunk",
        "both count, one logged chunk each",
        *(
            event(
                chunk_of(
                    {
                        "content": w,
                        "tool_calls": [{"index": 0, "id": "a", "function": {"name": "bash", "arguments": p}}],
                    }
                )
            )
            for w, p in (("Ok", LS[:5]), (".", LS[5:]))
        ),
        text="Ok.",
        tools=(LS,),
        pieces=2,
    ),
    tools_of(
        "reasoning-then-call",
        "received before it; SDK: ok",
        words("Hm", key="reasoning_content"),
        tool(0, LS, id="a", name="bash"),
        tools=(LS,),
        pieces=2,
    ),
    tools_of(
        "content-empty-beside-pieces",
        "nothing in it; SDK: ok",
        *(
            event(
                chunk_of(
                    {
                        "content": "",
                        "tool_calls": [{"index": 0, "id": "a", "function": {"name": "bash", "arguments": p}}],
                    }
                )
            )
            for p in (LS[:5], LS[5:])
        ),
        tools=(LS,),
        pieces=2,
    ),
    tools_of(
        "arguments-one-character-a-piece",
        "reads and pieces have no meaning; SDK: ok",
        tool(0, "", id="a", name="bash"),
        *(tool(0, char) for char in LS),
        tools=(LS,),
        pieces=len(LS) + 1,
    ),
    tools_of(
        "arguments-with-escaped-quotes-in-pieces",
        "JSON in JSON; SDK: ok",
        tool(0, '{"input": "echo \\', id="a", name="bash"),
        tool(0, '"hi\\" \\u'),
        tool(0, '00e9"}'),
        tools=('{"input": "echo \\"hi\\" \\u00e9"}',),
    ),
    tools_of(
        "arguments-of-100-kb",
        "no limit; SDK: ok",
        tool(0, '{"input": "' + "z" * 100_000 + '"}', id="a", name="bash"),
        tools=('{"input": "' + "z" * 100_000 + '"}',),
    ),
    tools_of(
        "arguments-given-twice",
        "no JSON; SDK: joined",
        tool(0, LS, id="a", name="bash"),
        tool(0, LS),
        outcome=CORRUPT,
        text=None,
        says="not JSON",
    ),
    tools_of(
        "arguments-in-single-quotes",
        "no JSON",
        tool(0, "{'input': 'ls'}", id="a", name="bash"),
        outcome=CORRUPT,
        text=None,
        says="not JSON",
    ),
    tools_of(
        "arguments-with-a-raw-line-break",
        "RFC 8259, 7: no JSON",
        tool(0, '{"input": "a\nb"}', id="a", name="bash"),
        outcome=CORRUPT,
        text=None,
    ),
    stream(
        "arguments-cut-with-finish-stop",
        "nothing explains it",
        tool(0, LS[:-2], id="a", name="bash"),
        STOP,
        DONE,
        outcome=CORRUPT,
        text=None,
    ),
    stream(
        "call-cut-by-the-filter",
        "the finish reason explains it",
        tool(0, LS[:-2], id="a", name="bash"),
        event(chunk_of(finish="content_filter")),
        DONE,
        text="",
        tools=(LS[:-2],),
    ),
    stream(
        "call-without-finish",
        "no finish reason",
        tool(0, LS, id="a", name="bash"),
        DONE,
        outcome=TRUNCATED,
        tools=(LS,),
    ),
    stream(
        "error-after-a-call",
        "an error in the stream; SDK: raises",
        tool(0, LS, id="a", name="bash"),
        event({"error": {"message": "tool parser died"}}),
        outcome=ERROR,
        says="tool parser died",
        pieces=1,
    ),
]

ERRORS = [
    stream(
        "error-with-an-empty-message",
        "an error object; SDK: raises",
        words("a"),
        event({"error": {"message": ""}}),
        outcome=ERROR,
        text="a",
    ),
    stream(
        "error-code-only",
        "an error object; SDK: raises",
        words("a"),
        event({"error": {"code": 1301}}),
        outcome=ERROR,
        text="a",
    ),
    stream(
        "error-empty-text",
        "no error, as the SDK reads it; SDK: ok",
        *(event(chunk_of({"content": p}, error="")) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "error-empty-list",
        "no error, as the SDK reads it; SDK: ok",
        *(event(chunk_of({"content": p}, error=[])) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "error-of-several-data-lines",
        "WHATWG: joined by LF",
        words("a"),
        b'event: error\ndata: {"message":\ndata: "gone"}\n\n',
        outcome=ERROR,
        says="gone",
        text="a",
    ),
    stream(
        "error-before-any-content",
        "received nothing, so no TTFT",
        event(chunk_of({"role": "assistant", "content": ""})),
        event({"error": "out of blocks"}),
        DONE,
        outcome=ERROR,
        says="out of blocks",
        pieces=0,
    ),
    stream(
        "error-then-a-good-end",
        "the first error ends the answer; SDK: raises",
        words("a"),
        event({"error": "worker lost"}),
        words("b"),
        END,
        outcome=ERROR,
        says="worker lost",
        text="a",
    ),
    stream("error-in-a-comment", "a comment", b': {"error": "no"}\n\n', GOOD, pieces=8),
    stream(
        "error-in-the-content",
        "words of the model",
        words('{"error": {"message": "x"}}'),
        END,
        text='{"error": {"message": "x"}}',
        pieces=1,
    ),
    stream(
        "the-word-error-as-a-piece",
        "words of the model",
        words("error", "[DONE]", "data: x"),
        END,
        text="error[DONE]data: x",
        pieces=3,
    ),
]


@pytest.mark.parametrize("dialect", [*TOOLS, *ERRORS], ids=lambda dialect: dialect.name)
def test_an_edge_of_tool_calls_and_errors_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
