"""The middleware that protects the runner's collector, by the rule of `reports.shared.control_port`."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from reports.shared.control_port import TOKEN_HEADER, refusal

__all__ = ["guard"]


def guard(token: str) -> Middleware:
    """A middleware that rejects with 401 or 403 and `{"error": ...}`, before the body is read."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        refused = refusal(
            headers.getall("Host", []), headers.getall("Origin", []), headers.getall(TOKEN_HEADER, []), token
        )
        if refused:
            status, why = refused
            return web.json_response({"error": why}, status=status)
        return await handler(request)

    return check
