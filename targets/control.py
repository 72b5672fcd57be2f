"""A control port: activates, renews, lists and removes behaviours (docs/wire.md).

It listens on loopback only. `reports.shared.control_port` decides which requests are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from reports.shared.control_port import TOKEN_HEADER, refusal

__all__ = ["BehaviourError", "Behaviours", "Control"]

_FAULT_PATH: Final = re.compile(r"/behaviours/([\w.:-]{1,128})")


class BehaviourError(ValueError):
    """An unknown kind, or invalid parameters."""


class Behaviours(Protocol):
    """The active behaviours of one process, each with its own lease."""

    def put(self, fault_id: str, body: bytes) -> str:
        """Activates or replaces a behaviour. Returns its kind. Raises `BehaviourError` or `msgspec.MsgspecError`."""

    def renew(self, fault_ids: Sequence[str]) -> list[str]:
        """Renews leases. Returns the ids that are still active."""

    def remove(self, fault_id: str) -> int:
        """Removes a behaviour. Returns its hits, 0 for an unknown id."""

    def listing(self) -> dict[str, dict[str, Any]]:
        """Returns the active behaviours by fault id."""


class _Renew(msgspec.Struct, forbid_unknown_fields=True):
    ids: list[str]


class Control:
    """Serves the requests of a control port."""

    def __init__(self, behaviours: Behaviours, token: str) -> None:
        self._behaviours = behaviours
        self._token = token

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers a request."""
        refused = self._refusal(request)
        if refused is not None:
            return refused
        try:
            return await self._route(request)
        except (BehaviourError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _json(400, {"error": str(error)})

    async def _route(self, request: web.BaseRequest) -> web.Response:
        method, path = request.method, request.path
        if path == "/behaviours" and method == "GET":
            return _json(200, self._behaviours.listing())
        if path == "/behaviours/renew" and method == "POST":
            renewal = msgspec.json.decode(await request.read(), type=_Renew)
            return _json(200, {"renewed": self._behaviours.renew(renewal.ids)})
        match = _FAULT_PATH.fullmatch(path)
        if match and method == "PUT":
            kind = self._behaviours.put(match[1], await request.read())
            return _json(201, {"id": match[1], "kind": kind})
        if match and method == "DELETE":
            return _json(200, {"hits": self._behaviours.remove(match[1])})
        return _json(404, {"error": f"nothing at {method} {path}"})

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        values = request.headers.getall
        refused = refusal(values("Host", []), values("Origin", []), values(TOKEN_HEADER, []), self._token)
        return _json(refused[0], {"error": refused[1]}) if refused is not None else None


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
