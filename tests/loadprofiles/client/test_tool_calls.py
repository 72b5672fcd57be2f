"""Tool calls are told apart, however the target numbers and names them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from loadprofiles.client.tool_calls import ToolCalls
from loadprofiles.client.wire import ToolPiece


def collected(pieces: Sequence[ToolPiece]) -> list[tuple[str, str]]:
    calls = ToolCalls()
    for piece in pieces:
        call, _ = calls.find(piece)
        if piece.arguments:
            call.pieces.append(piece.arguments.encode())
    return [(call.name, call.arguments) for call in calls.received()]


def begin(index: int | None, id: str, name: str = "bash", arguments: str = "") -> ToolPiece:
    return ToolPiece(index, id, name, arguments)


TWO = [("bash", '{"a":1}'), ("bash", '{"b":2}')]


@pytest.mark.parametrize(
    "pieces",
    [
        [begin(0, "x"), ToolPiece(0, arguments='{"a":1}'), begin(1, "y"), ToolPiece(1, arguments='{"b":2}')],
        [begin(0, "x"), begin(1, "y"), ToolPiece(1, arguments='{"b":2}'), ToolPiece(0, arguments='{"a":1}')],
        [begin(0, "x", arguments='{"a":1}'), begin(0, "y", arguments='{"b":2}')],
        [begin(None, "x", arguments='{"a":1}'), begin(None, "y", arguments='{"b":2}')],
        [begin(None, "", arguments='{"a":1}'), begin(None, "", arguments='{"b":2}')],
        [begin(None, "x"), ToolPiece(arguments='{"a":1}'), begin(None, "y"), ToolPiece(arguments='{"b":2}')],
        [begin(0, "x", arguments='{"a"'), ToolPiece(0, "x", "bash", ":1}"), begin(1, "y", arguments='{"b":2}')],
        [ToolPiece(0, "x", "bash", whole='{"a":1}'), ToolPiece(1, "y", "bash", whole='{"b":2}')],
    ],
    ids=["indices", "interleaved", "one index, new ids", "ids", "names", "ids first", "repeated id", "whole"],
)
def test_two_calls_are_told_apart(pieces: list[ToolPiece]) -> None:
    assert collected(pieces) == TWO


def test_pieces_replace_the_arguments_sent_with_the_start() -> None:
    assert collected([ToolPiece(0, "x", "bash", whole="{}"), ToolPiece(0, arguments='{"a":1}')]) == TWO[:1]


def test_a_call_without_arguments_is_a_call() -> None:
    assert collected([begin(0, "x")]) == [("bash", "")]


def test_calls_that_the_target_runs_itself_need_no_answer() -> None:
    pieces = [ToolPiece(0, "s", "web_search", server=True), ToolPiece(0, arguments='{"q":1}'), begin(1, "x")]
    assert collected(pieces) == [("bash", "")]
