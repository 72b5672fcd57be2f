"""Collects the tool calls of one answer: any number of them, in pieces, numbered and named as the target likes."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadprofiles.client.wire import ToolPiece

__all__ = ["OpenToolCall", "ReceivedToolCall", "ToolCalls"]


@dataclass(frozen=True, slots=True)
class ReceivedToolCall:
    """One tool call of an answer. `arguments`: JSON text as received, "" if there were none."""

    name: str
    arguments: str


@dataclass(slots=True)
class OpenToolCall:
    """A tool call whose pieces are still arriving. `whole`: arguments that the target sent with its start.

    `framed`: the arguments began with the frame of a simulated call. `server`: the target itself runs the tool, so no
    one has to answer it.
    """

    index: int | None
    id: str
    name: str = ""
    pieces: list[bytes] = field(default_factory=list)
    whole: str = ""
    framed: bool = False
    server: bool = False


class ToolCalls:
    """The tool calls of one answer.

    A piece belongs to the call with its index. A new id begins a new call, also under a known index, because some
    targets number all calls 0. A piece without index and id continues the last call, unless it brings the name of
    another one.
    """

    def __init__(self) -> None:
        self._calls: list[OpenToolCall] = []

    def find(self, piece: ToolPiece) -> tuple[OpenToolCall, bool]:
        """The call that a piece belongs to, and whether the piece begins it."""
        call = self._known(piece)
        begins = call is None
        if call is None:
            call = OpenToolCall(piece.index, piece.id, server=piece.server)
            self._calls.append(call)
        call.id = call.id or piece.id
        call.name = call.name or piece.name
        call.whole = call.whole or piece.whole
        return call, begins

    def received(self) -> list[ReceivedToolCall]:
        """All calls that the client has to answer, in the order in which they began. Raises UnicodeDecodeError."""
        return [
            ReceivedToolCall(call.name, b"".join(call.pieces).decode() or call.whole)
            for call in self._calls
            if not call.server
        ]

    def _known(self, piece: ToolPiece) -> OpenToolCall | None:
        last = self._calls[-1] if self._calls else None
        if piece.index is not None:
            same = [call for call in self._calls if call.index == piece.index]
            call = same[-1] if same else None
        elif piece.id:
            call = next((call for call in self._calls if call.id == piece.id), last)
        else:
            call = last
            if call is not None and piece.name and call.name and (call.pieces or call.whole or piece.name != call.name):
                return None
        if call is None or (piece.id and call.id and piece.id != call.id):
            return None
        return call
