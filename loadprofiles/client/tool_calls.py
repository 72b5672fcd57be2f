"""Collects the tool calls of one answer: any number of them, in pieces, numbered and named as the target likes."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadprofiles.client.lenient_json import NotJsonError, decode_json
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

    def complete(self, *, nothing: bool) -> bool:
        """Whether the arguments so far are a JSON object. `nothing`: the result if there are none."""
        if not self.pieces:
            return bool(self.whole) or nothing
        try:
            return isinstance(decode_json(b"".join(self.pieces)), dict)
        except NotJsonError:
            return False


class ToolCalls:
    """The tool calls of one answer.

    A piece belongs to the call with its index, or else with its id. A new id under a known index can be another call,
    because some targets number all calls 0, or the same one, because others invent an id for each piece: it begins
    another call with a name or with new arguments, unless the arguments before it are incomplete. A piece without index
    and id continues the last call, unless it brings the name of another one.
    """

    def __init__(self) -> None:
        self._calls: list[OpenToolCall] = []

    def find(self, piece: ToolPiece) -> tuple[OpenToolCall, bool]:
        """The call that a piece belongs to, and whether the piece begins it."""
        call = None if piece.begins else self._known(piece)
        begins = call is None
        if call is None:
            call = OpenToolCall(piece.index, piece.id, server=piece.server)
            self._calls.append(call)
        call.id = call.id or piece.id
        if not call.pieces and piece.name != call.name:
            call.name += piece.name  # some targets send a name in pieces
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
        call = last
        if piece.index is not None:
            same = [call for call in reversed(self._calls) if call.index == piece.index]
            call = next((call for call in same if piece.id and call.id == piece.id), same[0] if same else None)
        elif piece.id:
            call = next((call for call in self._calls if call.id == piece.id), None if piece.name else last)
        if call is None:
            return None
        if piece.id and call.id and piece.id != call.id:
            begins = bool(piece.name or piece.arguments) and call.complete(nothing=bool(piece.name))
        elif piece.index is None and not piece.id and piece.name and call.name:
            begins = piece.name != call.name or call.complete(nothing=False)
        else:
            begins = False
        return None if begins else call
