"""A control port: activates, renews, lists and removes behaviours; on the gateway, takes the operator's settings too
(docs/wire.md).

It listens on loopback only. `reports.shared.control_server` decides which connections and requests are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from reports.shared.control_server import ControlServer, Refused, decode_json, json_response, read_body
from reports.shared.port_limits import PortLimits

__all__ = ["BehaviourError", "Behaviours", "Control", "OperationError", "OperatorSettings"]

MAX_BODY_BYTES: Final = 1024 * 1024
JSON: Final = "application/json"

_FAULT_PATH: Final = re.compile(r"/behaviours/(\w[\w.:-]{0,127})", re.ASCII)


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


class OperationError(ValueError):
    """Settings of the operator that do not fit this gateway."""


class OperatorSettings(Protocol):
    """What the operator of a gateway has changed while it runs."""

    def put(self, body: bytes) -> dict[str, Any]:
        """Replaces the settings. Returns those in force. Raises `OperationError` or `msgspec.MsgspecError`."""

    def listing(self) -> dict[str, Any]:
        """Returns the settings in force."""


class _Renew(msgspec.Struct, forbid_unknown_fields=True):
    ids: list[str]


_RENEW: Final = msgspec.json.Decoder(_Renew)
_METHODS: Final[dict[str, tuple[str, ...]]] = {"/behaviours": ("GET",), "/behaviours/renew": ("POST",)}


class Control:
    """A control port on 127.0.0.1: `await start(port)`, then `await close()` (idempotent)."""

    def __init__(
        self,
        behaviours: Behaviours,
        token: str,
        limits: PortLimits | None = None,
        operations: OperatorSettings | None = None,
    ) -> None:
        self._behaviours = behaviours
        self._operations = operations
        self._server = ControlServer(self._route, token, limits)

    async def start(self, port: int = 0) -> int:
        """Listen. Returns the real port. Raises OSError if the port is in use."""
        return await self._server.start(port)

    async def close(self) -> None:
        """Stop listening, and close the connections."""
        await self._server.close()

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        method, path = request.method, request.rel_url.raw_path
        match = _FAULT_PATH.fullmatch(path)
        allowed = _METHODS.get(path, () if match is None else ("PUT", "DELETE"))
        if self._operations is not None and path == "/operations":
            allowed = ("GET", "PUT")
        if not allowed:
            also = ", /operations" if self._operations is not None else ""
            raise Refused(404, f"there are only /behaviours{also}, /behaviours/renew and /behaviours/{{fault id}}")
        if method not in allowed:
            raise Refused(
                405, f"{method} is not allowed here; use {' or '.join(allowed)}", {"Allow": ", ".join(allowed)}
            )
        if self._operations is not None and path == "/operations":
            if method == "GET":
                return json_response(200, self._operations.listing())
            body = await read_body(request, MAX_BODY_BYTES, JSON)
            return json_response(200, decode_json(body, self._operations.put))
        if method == "GET":
            return json_response(200, self._behaviours.listing())
        if method == "POST":
            renewal = decode_json(await read_body(request, MAX_BODY_BYTES, JSON), _RENEW.decode)
            return json_response(200, {"renewed": self._behaviours.renew(renewal.ids)})
        assert match is not None
        fault_id = match[1]
        if method == "DELETE":
            return json_response(200, {"hits": self._behaviours.remove(fault_id)})
        kind = decode_json(await read_body(request, MAX_BODY_BYTES, JSON), partial(self._behaviours.put, fault_id))
        return json_response(201, {"id": fault_id, "kind": kind})
