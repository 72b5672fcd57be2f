"""A control port: behaviours are put on, renewed, listed and taken off here (docs/wire.md).

It listens on loopback only; `reports.shared.control_port` says whose requests it takes.
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
        self._token = token

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request to the control port."""
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
        values = request.headers.getall
        refused = refusal(values("Host", []), values("Origin", []), values(TOKEN_HEADER, []), self._token)
        return _json(refused[0], {"error": refused[1]}) if refused is not None else None


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
