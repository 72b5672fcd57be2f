"""A control port: behaviours are put on, renewed, listed and taken off here (docs/wire.md).

It listens on loopback only, and it trusts nobody there either: a web page in a browser on the machine can reach it as
well. So every request needs the run's token, a loopback `Host` (against DNS rebinding) and no `Origin`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

__all__ = ["TOKEN_HEADER", "BehaviourError", "Behaviours", "Control"]

TOKEN_HEADER: Final = "X-Brownout-Token"
_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_FAULT_PATH: Final = re.compile(r"/behaviours/([\w.:-]{1,128})")


class BehaviourError(ValueError):
    """A kind that does not exist, or parameters that it does not take."""


class Behaviours(Protocol):
    """The behaviours of one process, each on a lease of its own."""

    def put(self, fault_id: str, body: bytes) -> str:
        """Puts one on, or replaces it; answers its kind. Raises `BehaviourError` or `msgspec.MsgspecError`."""

    def renew(self, fault_ids: Sequence[str]) -> list[str]:
        """Renews leases; answers those that are on."""

    def remove(self, fault_id: str) -> int:
        """Takes one off; answers its hits, 0 for an unknown one."""

    def listing(self) -> dict[str, dict[str, Any]]:
        """What is on, by fault id."""


class _Renew(msgspec.Struct, forbid_unknown_fields=True):
    ids: list[str]


class Control:
    """Answers the control port's requests."""

    def __init__(self, behaviours: Behaviours, token: str) -> None:
        self._behaviours = behaviours
        self._token = token.encode()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request to the control port."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            return await self._route(request)
        except (BehaviourError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _json(400, {"error": str(error)})

    async def _route(self, request: web.BaseRequest) -> web.Response:
        method, path = request.method, request.path
        if path == "/behaviours" and method == "GET":
            return _json(200, self._behaviours.listing())
        if path == "/behaviours/renew" and method == "POST":
            wanted = msgspec.json.decode(await request.read(), type=_Renew)
            return _json(200, {"renewed": self._behaviours.renew(wanted.ids)})
        found = _FAULT_PATH.fullmatch(path)
        if found and method == "PUT":
            kind = self._behaviours.put(found[1], await request.read())
            return _json(201, {"id": found[1], "kind": kind})
        if found and method == "DELETE":
            return _json(200, {"hits": self._behaviours.remove(found[1])})
        return _json(404, {"error": f"nothing at {method} {path}"})

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        if "Origin" in request.headers:
            return _json(403, {"error": "requests with an Origin header are refused"})
        if not _LOOPBACK.fullmatch(request.headers.get("Host", "")):
            return _json(403, {"error": "the Host header must name the loopback interface"})
        given = request.headers.get(TOKEN_HEADER, "")
        if not self._token or not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            return _json(401, {"error": f"the {TOKEN_HEADER} header is missing or wrong"})
        return None


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
