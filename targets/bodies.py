"""Reading request bodies that may be large, without keeping them."""

from __future__ import annotations

from aiohttp import web

__all__ = ["read_body"]


async def read_body(request: web.BaseRequest, limit_bytes: int) -> bytes:
    """The body of a request. Raises `web.HTTPRequestEntityTooLarge` above `limit_bytes`.

    `request.read()` of aiohttp keeps the body for as long as the request object lives, and a keep-alive connection
    keeps its last request: fifty idle connections would hold fifty conversations.
    """
    parts: list[bytes] = []
    size = 0
    while part := await request.content.readany():
        size += len(part)
        if size > limit_bytes:
            raise web.HTTPRequestEntityTooLarge(limit_bytes, size)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
