"""`malformed`: what comes back is no HTTP, or a 200 whose body is no JSON. The engine never sees the request."""

from __future__ import annotations

from typing import Final, Literal

from reports.shared.attributes import Outcome
from targets.replica.behaviours.base import Behaviour, CannedAnswer

__all__ = ["Malformed"]

_NO_HTTP: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(128, 192))
_NO_JSON: Final = '{"id": "0", "choices": [{"message": {"content": "the answer i'


class Malformed(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`how`: `http` (bytes that are no response, then the end of the connection) or `json` (a 200, cut off)."""

    how: Literal["http", "json"] = "http"

    def answer(self) -> CannedAnswer:
        """What the client gets."""
        raw = _NO_HTTP if self.how == "http" else None
        return CannedAnswer(200, body=_NO_JSON, raw=raw, outcome=Outcome.CORRUPT)
