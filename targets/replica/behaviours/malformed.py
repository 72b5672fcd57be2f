"""`malformed`: the response is not HTTP, or a 200 whose body is not JSON. The request never reaches the engine."""

from __future__ import annotations

from typing import Final, Literal

from reports.shared.attributes import Outcome
from targets.replica.behaviours.base import Behaviour, CannedAnswer

__all__ = ["ANSWERS", "Malformed"]

_NOT_HTTP: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(128, 192))
_NOT_JSON: Final = '{"id": "0", "choices": [{"message": {"content": "the answer i'

ANSWERS: Final = {
    "http": CannedAnswer(200, raw=_NOT_HTTP, outcome=Outcome.CORRUPT),
    "json": CannedAnswer(200, body=_NOT_JSON, outcome=Outcome.CORRUPT),
}
"""The malformed responses, by `how`."""


class Malformed(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`how`: `http` (bytes that are not an HTTP response, then FIN) or `json` (a 200 with a truncated body)."""

    how: Literal["http", "json"] = "http"

    def answer(self) -> CannedAnswer:
        """The malformed response."""
        return ANSWERS[self.how]
