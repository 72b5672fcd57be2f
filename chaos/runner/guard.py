"""The middleware that protects a control port of the runner; the rule is `reports.shared.control_port`'s."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from reports.shared.control_port import TOKEN_HEADER, refusal

__all__ = ["guard"]


def guard(token: str) -> Middleware:
    """The middleware that refuses with 401 or 403 and `{"error": ...}`, before the handler or the body is touched."""

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
